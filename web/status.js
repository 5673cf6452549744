// SPDX-License-Identifier: Apache-2.0
// x402d's status page.  All that came from outside is text: nothing here makes
// markup out of a string.
'use strict';

const SVG = 'http://www.w3.org/2000/svg';
const EVERY = 2000; // ms between two looks
const DAYS = 30;
const LATE = 60_000; // a captured payment that waits so long is worth a word
const NETWORKS = { 'eip155:1': 'Ethereum', 'eip155:8453': 'Base', 'eip155:84532': 'Base Sepolia', lightning: 'Lightning' };
const HELP = {
  reserved: 'being served', released: 'not charged', captured: 'charged, to be settled', submitted: 'in a transaction',
  mined: 'in a block', final: 'settled for good', failed: 'can never be settled',
};

const $ = (id) => document.getElementById(id);
const network = (name) => NETWORKS[name] ?? name;
const when = (time) => new Date(time).toLocaleString();

function element(name, attributes = {}, ...children) {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(attributes))
    made.setAttribute(key, value);
  made.append(...children);
  return made;
}

function shape(name, attributes, text) {
  const made = document.createElementNS(SVG, name);
  for (const [key, value] of Object.entries(attributes))
    made.setAttribute(key, value);
  if (text !== undefined)
    made.textContent = text;
  return made;
}

/** Replaces what is there only when it changed, so that nothing flickers and a
 *  selection or a focus stays. */
function show(id, ...made) {
  const next = element('div', {}, ...made);
  if ($(id).innerHTML !== next.innerHTML)
    $(id).replaceChildren(...next.childNodes);
}

const nothing = (text) => element('p', { class: 'soft' }, text);

/** columns: [title, class]; a cell is a text or a node. */
function table(label, columns, rows) {
  const cell = (name, content, kind) => element(name, kind ? { class: kind } : {}, content);
  const head = element('tr', {}, ...columns.map(([title, kind]) => {
    const made = cell('th', title, kind);
    made.setAttribute('scope', 'col');
    return made;
  }));
  const body = rows.map((row) => element('tr', {}, ...row.map((content, i) => cell('td', content, columns[i][1]))));
  return element('table', { 'aria-label': label }, element('thead', {}, head), element('tbody', {}, ...body));
}

/* Amounts are decimal texts of any length: they are summed as integers. */
function units(text, decimals = 18) {
  const [whole, part = ''] = text.split('.');
  return BigInt(whole + part.padEnd(decimals, '0').slice(0, decimals));
}

/** How much of most is this, 0 to 1: for the length of a bar only. */
const share = (value, most) => (most > 0n ? Number((value * 10_000n) / most) / 10_000 : 0);

function meter(part, label) {
  const svg = shape('svg', { viewBox: '0 0 100 6', role: 'img', 'aria-label': label, preserveAspectRatio: 'none', class: 'meter' });
  svg.append(shape('rect', { class: 'track', width: 100, height: 6, rx: 2 }),
    shape('rect', { class: 'bar', width: Math.max(part * 100, part > 0 ? 1 : 0), height: 6, rx: 2 }));
  return svg;
}

/* -- what the core knows -- */

function troubles({ networks, oldestCapturedMs, nowMs, credit }) {
  const found = [];
  for (const { network: name, reachable, settles, canSettle, stopped, behind } of networks) {
    if (!reachable)
      found.push(`${network(name)}: no node can be reached`);
    else if (settles && !canSettle)
      found.push(`${network(name)}: cannot settle: a signer needs gas, or fees are over the cap`);
    if (stopped)
      found.push(`${network(name)}: settling is stopped: transactions failed in a row`);
    if (behind)
      found.push(`${network(name)}: the ledger is being compared with the chain: nothing is given on credit`);
  }
  if (oldestCapturedMs && nowMs - oldestCapturedMs > LATE)
    found.push(`A charged payment has waited ${Math.floor((nowMs - oldestCapturedMs) / 60_000)} min for its transaction`);
  for (const { network: name, lost } of credit)
    if (!/^0(\.0*)? /.test(lost))
      found.push(`${network(name)}: lost ${lost}: delivered, and it can never be settled`);
  return found;
}

function showNetworks(networks) {
  show('networks', table('Networks', [['Network'], ['State'], ['Block', 'number'], ['For gas', 'number']], networks.map((one) => [
    network(one.network),
    one.reachable ? element('span', { class: 'good' }, 'reachable') : element('span', { class: 'bad' }, 'not reachable'),
    String(one.head),
    one.signers.length === 0 ? '–' : element('span', {}, ...one.signers.flatMap(({ address, wei }, i) => [
      ...(i ? [element('br')] : []), element('span', { title: address }, `${decimal(wei, 18)} (${address.slice(0, 6)}…${address.slice(-4)})`)])),
  ])));
}

/** Atomic units as a decimal of at most six places. */
function decimal(text, decimals) {
  const digits = text.padStart(decimals + 1, '0');
  const part = digits.slice(-decimals).slice(0, 6).replace(/0+$/, '');
  return digits.slice(0, -decimals) + (part ? `.${part}` : '');
}

function showCredit(credit) {
  if (credit.length === 0)
    return show('credit', nothing('None: nothing is charged and unsettled.'));
  return show('credit', ...credit.map((one) => element('figure', {},
    element('figcaption', {}, `${one.unsettled} of ${one.limit}, ${one.payers} payer(s), ${network(one.network)}`
      + (one.settleFirst ? `; ${one.settleFirst} settled first` : '')),
    meter(Math.min(share(BigInt(one.unsettledUnits), BigInt(one.limitUnits)), 1), 'share of the limit in use'))));
}

function showStates(states) {
  const most = Object.values(states).reduce((a, b) => Math.max(a, b), 1);
  show('states', table('Payments by state', [['State'], ['Payments', 'number'], ['', 'mark']], Object.entries(states).map(([name, count]) => [
    element('span', {}, element('b', name === 'failed' && count ? { class: 'bad' } : {}, name), element('span', { class: 'soft' }, ` ${HELP[name]}`)),
    String(count), meter(count / most, `${count} of ${most}`)])));
}

/* -- sums -- */

function lastDays(nowMs) {
  return Array.from({ length: DAYS }, (_, i) => new Date(nowMs - (DAYS - 1 - i) * 86_400_000).toISOString().slice(0, 10));
}

function chart(days, lines, label) {
  const width = Math.max(280, Math.min($('days').clientWidth || 720, 1100)); // a unit is a pixel: letters keep their size
  const by = new Map(lines.map((line) => [line.name, line]));
  const most = lines.reduce((a, { amount }) => (units(amount) > a ? units(amount) : a), 0n);
  const [height, step] = [120, width / DAYS];
  const svg = shape('svg', { viewBox: `0 0 ${width} ${height + 20}`, role: 'img', 'aria-label': label });
  days.forEach((day, i) => {
    const line = by.get(day);
    const size = line ? Math.max(share(units(line.amount), most) * height, 2) : 0;
    const bar = shape('rect', { class: 'bar', x: i * step + 2, y: height - size, width: step - 4, height: size, rx: 2 });
    bar.append(shape('title', {}, `${day}: ${line ? `${line.amount} ${line.symbol}, ${line.payments} payments` : 'nothing'}`));
    svg.append(bar);
    if ((DAYS - 1 - i) % 7 === 0)
      svg.append(shape('text', { x: Math.min(i * step, width - 32), y: height + 15 }, day.slice(5)));
  });
  svg.append(shape('line', { class: 'axis', x1: 0, x2: width, y1: height, y2: height }));
  return svg;
}

/** Routes of one host need not say it each time. */
function hostOf(lines) {
  const hosts = new Set(lines.map(({ name }) => /^[a-z]+:\/\/[^/]*/.exec(name)?.[0] ?? ''));
  return hosts.size === 1 ? [...hosts][0] : '';
}

const tokenOf = (line) => `${line.symbol} on ${network(line.network)}`;

function byToken(lines) {
  const groups = new Map();
  for (const line of lines)
    groups.set(tokenOf(line), [...(groups.get(tokenOf(line)) ?? []), line]);
  return [...groups];
}

function showIncome({ days, routes, failures, nowMs, cut }) {
  const dates = lastDays(nowMs);
  show('days', ...(cut ? [nothing('Only the newest 100,000 payments are counted.')] : []),
    ...(days.length === 0 ? [nothing('No income yet.')] : byToken(days).map(([token, lines]) => element('figure', {},
      element('figcaption', {}, token), chart(dates, lines, `${token}, the last ${DAYS} days`)))));
  show('routes', ...(routes.length === 0 ? [nothing('No income yet.')] : byToken(routes).map(([token, lines]) => {
    const sorted = [...lines].sort((a, b) => (units(a.amount) < units(b.amount) ? 1 : -1)).slice(0, 15);
    const most = units(sorted[0].amount);
    const host = hostOf(sorted);
    return element('figure', {}, element('figcaption', {}, host ? `${token}, ${host}` : token),
      table(token, [['Route', 'long'], ['Payments', 'number'], ['Amount', 'number'], ['', 'mark']], sorted.map((line) => [
        line.name.slice(host.length) || '(not said)', String(line.payments), line.amount,
        meter(share(units(line.amount), most), `${line.amount} ${line.symbol}`)])));
  })));
  show('failures', failures.length === 0 ? nothing('None.') : table('Failures', [['Reason'], ['Network'], ['Payments', 'number'], ['Amount', 'number']],
    failures.map((line) => [line.name, network(line.network), String(line.payments), `${line.amount} ${line.symbol}`])));
  return dates.at(-1);
}

function showCards(overview, income) {
  const today = lastDays(income.nowMs).at(-1);
  const lines = income.days.filter((line) => line.name === today);
  const { states } = overview;
  const cards = [
    ...(lines.length ? lines.map((line) => [`${line.amount} ${line.symbol}`, `today (UTC), ${network(line.network)}`]) : [['0', 'today (UTC)']]),
    [lines.reduce((sum, { payments }) => sum + payments, 0), 'paid requests today'],
    [states.captured + states.submitted + states.mined, 'being settled'],
    [states.failed, 'failed'],
  ];
  show('cards', ...cards.map(([value, text]) => element('div', { class: 'card' }, element('b', {}, String(value)), element('span', {}, text))));
}

/* -- payments -- */

function showPayments(payments) {
  if (payments.length === 0)
    return show('payments', nothing('None.'));
  return show('payments', table('Payments, newest first',
    [['No.'], ['When'], ['State'], ['Amount', 'number'], ['Payer', 'code'], ['Resource', 'long']],
    payments.map((one) => [
      element('a', { href: `/?payment=${one.id}` }, `#${one.id}`), when(one.created),
      element('span', one.state === 'failed' ? { class: 'bad' } : one.state === 'final' ? { class: 'good' } : {},
        one.reason ? `${one.state}: ${one.reason}` : one.state),
      one.money, `${one.payer.slice(0, 8)}…${one.payer.slice(-4)}`, one.resource.slice(0, 200) || '(not said)'])));
}

function showInvoices(invoices) {
  $('lightning').hidden = invoices.length === 0;
  if (invoices.length > 0)
    show('invoices', table('Lightning payments, newest first', [['No.'], ['When'], ['State'], ['Amount', 'number'], ['Resource', 'long']],
      invoices.map((one) => [element('a', { href: `/?invoice=${one.invoice}` }, `ln${one.invoice}`), when(one.created),
        one.hold ? `${one.state}, ${one.hold.replace('_', ' ')}` : one.state, one.money, one.resource.slice(0, 200) || '(not said)'])));
}

/** One step of a history: when, what, in which transaction. */
function step({ at, what, text, transaction, leftOut }) {
  const time = at ? element('time', { datetime: at }, when(at)) : element('span', { class: 'soft' }, '(time not kept)');
  return [
    ...(leftOut ? [element('li', { class: 'soft' }, `${leftOut} more`)] : []),
    element('li', { 'data-what': what }, time, ' ', text, ...(transaction ? [element('br'), element('code', {}, transaction)] : [])),
  ];
}

function showFacts(title, facts, history) {
  document.title = `x402d: ${title.toLowerCase()}`;
  $('one-title').textContent = title;
  show('facts', ...Object.entries(facts).filter(([, value]) => value !== '' && value !== null)
    .flatMap(([name, value]) => [element('dt', {}, name), element('dd', {}, String(value))]));
  show('history', ...history.flatMap(step));
}

function showOne({ payment }) {
  showFacts(`Payment #${payment.id}`, {
    State: `${payment.state} (${HELP[payment.state]})`, Reason: payment.reason, Amount: payment.money, Network: `${network(payment.network)} (${payment.network})`,
    Resource: payment.resource, Payer: payment.payer, Payee: payment.payee, Token: payment.asset, Nonce: payment.nonce,
    'Valid before': when(payment.validBefore * 1000), Transaction: payment.transaction, Block: payment.block,
    'Asked by': payment.origin === 'gateway' ? 'a gateway' : 'POST /settle', Settled: `${payment.settle} the response`,
    Run: `${payment.run}; ${payment.runs} charged, ${payment.releases} released`,
  }, payment.history);
}

function showInvoice({ invoice }) {
  showFacts(`Lightning payment ln${invoice.invoice}`, {
    State: invoice.state, Hold: invoice.hold, Amount: invoice.money, 'Payment hash': invoice.paymentHash, Resource: invoice.resource,
    Expires: when(invoice.expires), Run: `${invoice.open ? 'open; ' : ''}${invoice.runs} charged, ${invoice.releases} released`,
  }, invoice.history);
}

/* -- looking -- */

async function ask(path) {
  const response = await fetch(path, { cache: 'no-store', signal: AbortSignal.timeout(10_000) });
  if (!response.ok)
    throw new Error((await response.text()).trim().slice(0, 200));
  return response.json();
}

async function look({ payment, invoice }) {
  if (payment)
    return showOne(await ask(`/api/payment?id=${encodeURIComponent(payment)}`));
  if (invoice)
    return showInvoice(await ask(`/api/invoice?id=${encodeURIComponent(invoice)}`));
  const [overview, income, { payments }, { invoices }] = await Promise.all([
    ask('/api/overview'), ask('/api/income'), ask(`/api/payments?state=${encodeURIComponent($('state').value)}`), ask('/api/invoices')]);
  show('troubles', ...troubles(overview).map((text) => element('li', {}, text)));
  showCards(overview, income);
  showIncome(income);
  showStates(overview.states);
  showCredit(overview.credit);
  showNetworks(overview.networks);
  showInvoices(invoices);
  return showPayments(payments);
}

async function run() {
  const one = Object.fromEntries(new URLSearchParams(location.search));
  const isOne = Boolean(one.payment || one.invoice);
  $('overview').hidden = isOne;
  $('one').hidden = !isOne;
  for (;;) {
    try {
      if (!document.hidden) {
        await look(one);
        $('live').textContent = `as of ${new Date().toLocaleTimeString()}`;
        $('live').className = '';
      }
    } catch (error) {
      $('live').textContent = `x402d does not answer: ${error.message}`;
      $('live').className = 'bad';
    }
    await new Promise((resolve) => {
      setTimeout(resolve, EVERY);
      $('state').onchange = resolve;
    });
  }
}

run();
