#pragma once
/// The rows of a block: what each of them is, its token, and the sequences that they form.

#include <span>
#include <vector>

#include <plateau/core/macros.hpp>
#include <plateau/hooks/site.hpp>

namespace plateau::nn {

/// Keys and values of a sequence's first positions, in the memory of some backend. @see kv_cache
class kept_keys {
public:
    virtual ~kept_keys() = default;
    /// Positions that there is room for.
    virtual index positions() const = 0;
};

/// Rows of a block that follow each other in one sequence, in the order of their positions, without a gap.
struct sequence {
    index first_row = 0;
    index rows = 0;
    index start = 0;                    ///< position of the first row; that many prefix positions are seen
    kept_keys const* prefix = nullptr;  ///< of positions [0, start); may be null if start is 0
    kept_keys* record = nullptr;        ///< where keys and values of these rows are kept, if wanted
};

/// The rows of a block, built sequence by sequence.
struct rows {
    std::vector<hooks::row_id> ids;
    std::vector<index> tokens;  ///< by row
    std::vector<sequence> sequences;

    index count() const { return static_cast<index>(ids.size()); }

    /// Adds a sequence. @param first  its first row: the others have the positions that follow, and the last position
    /// of
    ///                         a prompt of known length is marked `last`
    /// @param of_rows  their tokens
    /// @param prefix   keys and values of the positions before; may be null if there are none
    /// @param record   where those of the rows are kept, or null
    void add(hooks::row_id first, std::span<token_id const> of_rows, kept_keys const* prefix = nullptr,
             kept_keys* record = nullptr);

    /// Adds all of a prompt.
    void add_prompt(index number, std::span<token_id const> prompt, kept_keys* record = nullptr) {
        add(prompt_row(number, 0, static_cast<index>(prompt.size())), prompt, nullptr, record);
    }

    /// A row of a prompt in its own run.
    static hooks::row_id prompt_row(index number, index position, index length) {
        hooks::row_id row;
        row.item = row.prompt = number;
        row.position = position;
        row.length = length;
        return row;
    }
};

}  // namespace plateau::nn

#if !PLATEAU_COMPILED
#include <plateau/nn/impl/rows.ipp>
#endif
