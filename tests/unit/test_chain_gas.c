/* SPDX-License-Identifier: Apache-2.0 */
/* What earlier settlements took says what the next one is tried with. */
#include "chain/gas.h"
#include "test.h"

int
main(void)
{
    struct gas gas = {0, 0};
    uint64_t guess;

    test_ok(gas_guess(&gas, 10, 1000) == 0, "nothing is known at first");
    gas_learn(&gas, 4350000, 100, 1000);
    guess = gas_guess(&gas, 100, 2000);
    test_ok(guess > 4350000 && guess < 4700000, "a little more for as many");
    test_ok(gas_guess(&gas, 50, 2000) < guess, "less for fewer");
    test_ok(gas_guess(&gas, 1, 2000) > 70000, "the transaction itself counts");
    gas_learn(&gas, 2000000, 100, 3000);
    test_ok(gas_guess(&gas, 100, 3000) == guess, "a cheap one lowers nothing");
    gas_learn(&gas, 6000000, 100, 4000);
    test_ok(gas_guess(&gas, 100, 4000) > 6000000, "a dear one raises it");
    test_ok(gas_guess(&gas, 100, 4000 + GAS_LEARNED_MS + 1) == 0,
            "forgotten after a minute");
    test_ok(gas_guess(&gas, 100, 3999) == 0, "and by a clock set back");
    gas_learn(&gas, 2000000, 100, 4001 + GAS_LEARNED_MS);
    test_ok(gas_guess(&gas, 100, 4001 + GAS_LEARNED_MS) < 2200000,
            "learned anew, lower too");
    gas_learn(&gas, 1, 1, 1);
    return test_done();
}
