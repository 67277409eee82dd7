#pragma once
/// Hash tables of token ids by text, and of merges by pairs of ids; they grow only and are made for looking up.

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include <plateau/core/macros.hpp>
#include <plateau/core/types.hpp>

namespace plateau::io {

inline constexpr token_id no_token = -1;

/// Ids by the text of tokens.
class token_table {
public:
    /// @param tokens  how many are expected
    explicit token_table(std::size_t tokens = 0) { resize(tokens); }

    /// The last word on a text holds. @throws config_error beyond 4 GiB of texts
    void insert(std::string_view text, token_id id);

    /// no_token if there is none.
    token_id find(std::string_view text) const;

private:
    struct entry {
        std::uint32_t hash = 0, begin = 0, size = 0;
        token_id id = no_token;
    };

    static std::uint32_t hash(std::string_view text);
    std::size_t place(std::string_view text, std::uint32_t hashed) const;
    void resize(std::size_t tokens);

    std::string texts_;
    std::vector<entry> slots_;  // a power of two, at most half of them taken
    std::size_t count_ = 0;
    std::size_t longest_ = 0;
};

/// The token that two neighbours become, and the rank of that merge.
struct token_merge {
    std::uint32_t rank = 0;
    token_id result = no_token;
};

/// Merges by the ids of both neighbours.
class merge_table {
public:
    explicit merge_table(std::size_t merges = 0) { resize(merges); }

    /// The last word on a pair holds.
    void insert(token_id left, token_id right, token_merge merge);

    /// The result is no_token if there is none.
    token_merge find(token_id left, token_id right) const;

private:
    struct entry {
        std::uint64_t pair = 0;
        token_merge merge;
    };

    static std::uint64_t key(token_id left, token_id right);
    std::size_t place(std::uint64_t pair) const;
    void resize(std::size_t merges);

    std::vector<entry> slots_;
    std::size_t count_ = 0;
};

}  // namespace plateau::io

#if !PLATEAU_COMPILED
#include <plateau/io/tokenizer/impl/token_table.ipp>
#endif
