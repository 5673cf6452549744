// SPDX-License-Identifier: Apache-2.0
// Contract wallets (ERC-1271), honest and not, and who deploys them (ERC-6492).
pragma solidity 0.8.30;

bytes4 constant YES = 0x1626ba7e;

/// Its owner's key signs for it.
contract Wallet {
    address public immutable owner;

    constructor(address owner_) {
        owner = owner_;
    }

    function isValidSignature(bytes32 hash, bytes calldata signature) external view returns (bytes4) {
        if (signature.length != 65) {
            return 0xffffffff;
        }
        bytes32 r = bytes32(signature[0:32]);
        bytes32 s = bytes32(signature[32:64]);
        uint8 v = uint8(signature[64]);
        // as Safe marks an eth_sign: v + 4
        return ecrecover(hash, v > 30 ? v - 4 : v, r, s) == owner ? YES : bytes4(0xffffffff);
    }
}

contract Factory {
    event Deployed(address wallet);

    function at(address owner, bytes32 salt) external view returns (address) {
        bytes32 code = keccak256(abi.encodePacked(type(Wallet).creationCode, abi.encode(owner)));
        return address(uint160(uint256(keccak256(abi.encodePacked(bytes1(0xff), address(this), salt, code)))));
    }

    function create(address owner, bytes32 salt) external {
        emit Deployed(address(new Wallet{salt: salt}(owner)));
    }

    function nothing() external {}

    function burn() external view {
        while (gasleft() > 0) {}
    }
}

/// Answers by where it is asked: what an eth_call can tell from a block.
contract Moody {
    // 0 yes, 1 only without a gas price, 2 only when the token asks, 3 only for
    // this sender of the transaction, 4 magic and a tail, 5 magic in a dirty
    // word, 6 31 bytes, 7 nothing, 8 reverts, 9 reverts with 64 KiB, 10 returns
    // 256 KiB, 11 loops, 12 only while the block is even
    uint256 public mode;
    address public who;

    function set(uint256 mode_, address who_) external {
        mode = mode_;
        who = who_;
    }

    fallback() external {
        uint256 m = mode;
        bool yes = true;
        if (m == 1) yes = tx.gasprice == 0;
        if (m == 2) yes = msg.sender == who;
        if (m == 3) yes = tx.origin == who;
        if (m == 12) yes = block.number % 2 == 0;
        if (m == 8) revert("no");
        if (m == 11) while (true) {}
        uint256 size = m == 4 ? 128 : m == 6 ? 31 : m == 7 ? 0 : m == 9 ? 65536 : m == 10 ? 262144 : 32;
        assembly {
            let at := mload(0x40)
            if yes { mstore(at, shl(224, 0x1626ba7e)) }
            if eq(m, 5) { mstore(at, or(mload(at), 1)) }
            if eq(m, 9) { revert(at, size) }
            return(at, size)
        }
    }
}
