#pragma once
/// Activations replaced by those of another run: patching and freezing.

#include <algorithm>
#include <functional>
#include <memory>
#include <string>
#include <utility>

#include <plateau/hooks/recording.hpp>

namespace plateau::hooks {

/// Where a row's new value was recorded.
struct recorded_at {
    index item = 0;
    index position = 0;
};

/// Replaces the selected vectors of every site that matches by what was recorded there.
/// @param from    a finished recording
/// @param source  whose value a row gets, say the same position of another prompt
/// @param depends what `source` depends on
/// @throws usage_error, when it acts, if that was not recorded; shape_error if it has another length (a pattern of
/// another position)
template <class T>
hook_set<T> patch_from(std::string pattern, std::shared_ptr<recording<T> const> from,
                       std::function<recorded_at(row_id const&)> source, selection where_to = {},
                       depends_on depends = depends_on::prompt) {
    return edit<T>(
        std::move(pattern), std::move(where_to),
        [from = std::move(from), source = std::move(source)](site const& at, row_id const& row, index head,
                                                             std::size_t width) {
        auto const place = source(row);
        auto const values = from->at(at, place.item, place.position);
        auto const heads = static_cast<std::size_t>(std::max<index>(at.heads, 1));
        if (values.size() != width * heads) {
            throw shape_error("what was recorded at ", at.name(), " for item ", place.item, ", position ",
                              place.position, " has ", values.size(), " values, ", heads, " x ", width, " are needed");
        }
        return vector_edit<T>{values.subspan(static_cast<std::size_t>(head) * width, width)};
        },
        depends);
}

/// Freezes sites at what they were in a recorded run of the same prompts: a row gets the value of its own prompt and
/// position.
template <class T>
hook_set<T> freeze(std::string pattern, std::shared_ptr<recording<T> const> from, selection where_to = {}) {
    return patch_from<T>(
        std::move(pattern), std::move(from),
        [](row_id const& row) {
        return recorded_at{row.its_prompt(), row.position};
        },
        std::move(where_to));
}

/// Freezes the rows of a sweep, at all positions that they own, at what was recorded for their item: a value of each
/// pair.
template <class T>
hook_set<T> freeze_rows(std::string pattern, std::shared_ptr<recording<T> const> from) {
    return patch_from<T>(
        std::move(pattern), std::move(from),
        [](row_id const& row) {
        return recorded_at{row.item, row.position};
        },
        {}, depends_on::row);
}

}  // namespace plateau::hooks
