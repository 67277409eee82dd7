#pragma once
/// SHA-256, by libcrypto.

#include <array>
#include <cstddef>
#include <memory>
#include <span>
#include <stdexcept>
#include <string>

#include <openssl/evp.h>

namespace plateau::program {

/// The hash of all bytes that were added. @throws std::runtime_error where libcrypto refuses
class sha256 {
public:
    sha256() { require(of_ != nullptr && EVP_DigestInit_ex(of_.get(), EVP_sha256(), nullptr) == 1); }

    void add(std::span<std::byte const> bytes) {
        require(EVP_DigestUpdate(of_.get(), bytes.data(), bytes.size()) == 1);
    }

    /// 64 lower-case digits. @pre called once, after the last `add`
    std::string hex() {
        std::array<unsigned char, 32> digest{};
        require(EVP_DigestFinal_ex(of_.get(), digest.data(), nullptr) == 1);
        std::string text;
        for (unsigned const byte : digest)
            for (unsigned const half : {byte >> 4, byte & 15}) text += "0123456789abcdef"[half];
        return text;
    }

private:
    static void require(bool done) {
        if (!done) throw std::runtime_error("libcrypto cannot compute SHA-256 on this machine");
    }

    std::unique_ptr<EVP_MD_CTX, void (*)(EVP_MD_CTX*)> of_{EVP_MD_CTX_new(), EVP_MD_CTX_free};
};

}  // namespace plateau::program
