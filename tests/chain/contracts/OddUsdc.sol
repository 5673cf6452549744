// SPDX-License-Identifier: Apache-2.0
// USDC after something happened to it: anybody may say what.
pragma solidity 0.8.30;

import {ERC20} from "@openzeppelin/contracts/token/ERC20/ERC20.sol";
import {EIP712} from "@openzeppelin/contracts/utils/cryptography/EIP712.sol";
import {Usdc} from "./Usdc.sol";

contract OddUsdc is Usdc {
    // Lies uses the authorization up and moves nothing, Silent does nothing at
    // all, Fee keeps a hundredth, Paused says so, Trap fails only where gas is
    // paid: no eth_call without a gas price sees it.
    enum Mode { Honest, Lies, Silent, Fee, Paused, Trap }

    Mode public mode;
    mapping(address => bool) public blacklisted;

    constructor(address[] memory holders, uint256 each) Usdc(holders, each) {}

    function set(Mode mode_) external {
        mode = mode_;
    }

    function blacklist(address who, bool yes) external {
        blacklisted[who] = yes;
    }

    function _transferWithAuthorization(
        address from,
        address to,
        uint256 value,
        uint256 validAfter,
        uint256 validBefore,
        bytes32 nonce
    ) internal override {
        if (mode != Mode.Silent) {
            super._transferWithAuthorization(from, to, value, validAfter, validBefore, nonce);
        }
    }

    function _update(address from, address to, uint256 value) internal override {
        require(mode != Mode.Paused, "Pausable: paused");
        require(
            !blacklisted[from] && !blacklisted[to] && !blacklisted[msg.sender],
            "Blacklistable: account is blacklisted"
        );
        require(mode != Mode.Trap || tx.gasprice == 0, "no");
        if (mode == Mode.Lies) {
            return;
        }
        if (mode == Mode.Fee) {
            super._update(from, address(this), value / 100);
            value -= value / 100;
        }
        super._update(from, to, value);
    }
}
