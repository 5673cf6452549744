// SPDX-License-Identifier: Apache-2.0
// Faults of the catalogue.
import { mutants } from '../harness/mutants.mjs';

mutants({
  bazaar_schema: ['discovery/hostile', '^what the official validator refuses'],
  bazaar_private: ['discovery/hostile', '^without an allow-list'],
  bazaar_redirect: ['discovery/hostile', '^a redirect is not followed'],
  bazaar_unsigned: ['discovery/hostile', '^only the payee lists'],
  bazaar_hijack: ['discovery/hostile', '^a payment does not take over'],
  bazaar_query: ['discovery/hostile', '^words of a query'],
});
