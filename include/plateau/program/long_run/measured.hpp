#pragma once
/// Results of a sweep: one whole, or finished pieces that are read one after the other in little memory.

#include <cstddef>
#include <functional>
#include <iterator>
#include <memory>
#include <ranges>
#include <type_traits>
#include <utility>
#include <vector>

#include <plateau/program/long_run/journal.hpp>
#include <plateau/program/long_run/pieces.hpp>

namespace plateau::program {

/// Finished pieces, in order, and how to read one.
struct stored_pieces {
    std::vector<chunk_place> places;
    std::function<std::vector<std::byte>(chunk_place const&)> read;
};

/// A range over pieces in order. Each is read when it is come to, and forgotten behind it.
template <class Results>
class measured {
public:
    explicit measured(Results whole) : whole_{std::make_shared<Results const>(std::move(whole))} {}
    explicit measured(stored_pieces stored) : stored_{std::move(stored)} {}

    class iterator {
    public:
        using value_type = Results;
        using difference_type = std::ptrdiff_t;
        iterator() = default;
        Results const& operator*() const { return *here_; }
        iterator& operator++() {
            ++at_;
            load();
            return *this;
        }
        void operator++(int) { ++*this; }
        bool operator==(std::default_sentinel_t) const { return at_ == of_->size(); }

    private:
        friend class measured;
        explicit iterator(measured const& of) : of_{&of} { load(); }
        void load() {
            here_.reset();  // before the next one is there
            if (at_ < of_->size()) here_ = of_->piece(at_);
        }

        measured const* of_ = nullptr;
        std::size_t at_ = 0;
        std::shared_ptr<Results const> here_;
    };

    iterator begin() const { return iterator{*this}; }
    std::default_sentinel_t end() const { return {}; }

    std::size_t size() const { return whole_ ? 1 : stored_.places.size(); }

private:
    std::shared_ptr<Results const> piece(std::size_t at) const {
        if (whole_) return whole_;
        auto const bytes = stored_.read(stored_.places[at]);
        return std::make_shared<Results const>(joined<Results>({arrays_in(bytes)}));
    }

    std::shared_ptr<Results const> whole_;
    stored_pieces stored_;
};

/// What `take` gives of each piece, one after the other: of all things. @param take  piece -> a list
template <class Results, class Take>
auto gathered(measured<Results> const& all, Take const& take) {
    std::vector<std::ranges::range_value_t<std::invoke_result_t<Take const&, Results const&>>> values;
    for (auto const& one : all) {
        auto const& some = std::invoke(take, one);
        values.insert(values.end(), some.begin(), some.end());
    }
    return values;
}

}  // namespace plateau::program
