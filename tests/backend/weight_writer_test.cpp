#include <plateau/backend/cpu/linear_weight.hpp>

#include <cstdint>
#include <cstring>
#include <type_traits>
#include <vector>

#include <plateau/core/parallel.hpp>

#include "support/catch.hpp"
#include "support/random.hpp"

namespace {

using namespace plateau;
using plateau::index;
using plateau::tensor::buffer;
using plateau::tensor::view;

struct extents {
    index outputs, inputs;
};
std::vector<extents> const layer_extents{{1, 1}, {7, 32}, {63, 5}, {64, 600}, {65, 129}, {128, 33}, {300, 65}};

/// Panels for the values S of an [N, K] weight over T, filled with garbage: what is not written shows.
template <class T, class S>
struct panels {
    using word = std::conditional_t<std::is_same_v<S, bfloat16>, std::uint32_t, T>;
    index outputs, inputs;
    std::vector<word> words;

    explicit panels(extents const& e) : outputs{e.outputs}, inputs{e.inputs} {
        words.resize(static_cast<std::size_t>((outputs + 63) / 64 * 64 * depth()));
        std::memset(words.data(), 0xA5, words.size() * sizeof(word));
    }
    index depth() const { return std::is_same_v<S, bfloat16> ? (inputs + 1) / 2 : inputs; }
    backend::weight_writer<T> writer() {
        if constexpr (std::is_same_v<S, bfloat16>) return {outputs, inputs, nullptr, words.data()};
        else return {outputs, inputs, words.data(), nullptr};
    }
    bool operator==(panels const& other) const {
        return std::memcmp(words.data(), other.words.data(), words.size() * sizeof(word)) == 0;
    }
};

/// The panels by their definition.
template <class T, class S>
panels<T, S> by_definition(view<S const, 2> weight) {
    panels<T, S> result{{weight.extent(0), weight.extent(1)}};
    index const depth = result.depth(), n_end = weight.extent(0), k_end = weight.extent(1);
    for (std::size_t i = 0; i < result.words.size(); ++i) {
        auto const at = static_cast<index>(i);
        index const n = at / 64 / depth * 64 + at % 64, k = at / 64 % depth;
        auto const value = [&](index input) { return n < n_end && input < k_end ? weight(n, input) : S{}; };
        if constexpr (std::is_same_v<S, bfloat16>) {
            result.words[i] = value(2 * k).bits | std::uint32_t{value(2 * k + 1).bits} << 16;
        } else {
            result.words[i] = value(k);
        }
    }
    return result;
}

template <class S>
buffer<S, 2> transpose(view<S const, 2> matrix) {
    buffer<S, 2> result({matrix.extent(1), matrix.extent(0)});
    for (index i = 0; i < matrix.extent(0); ++i) {
        for (index j = 0; j < matrix.extent(1); ++j) result(j, i) = matrix(i, j);
    }
    return result;
}

/// Pieces of `length` that cover [0, end), on several threads.
template <class Piece>
void in_pieces(index end, index length, Piece&& piece) {
    parallel_for(3, (end + length - 1) / length,
                 [&](index i, int) { piece(i * length, std::min(length, end - i * length)); });
}

template <class T, class S>
void require_packed(buffer<S, 2> const& weight) {
    extents const e{weight.extent(0), weight.extent(1)};
    auto const expected = by_definition<T, S>(weight);
    auto const turned = transpose<S>(weight);
    using writer = backend::weight_writer<T>;
    for (index steps : {1, 2, 100}) {
        CAPTURE(e.outputs, e.inputs, steps);
        panels<T, S> by_outputs{e}, by_inputs{e}, strided{e};
        in_pieces(e.outputs, steps * writer::output_step, [&](index first, index count) {
            by_outputs.writer().outputs(first, weight.view().rows(first, count));
        });
        CHECK(by_outputs == expected);
        in_pieces(e.inputs, steps * writer::input_step, [&](index first, index count) {
            by_inputs.writer().inputs(first, turned.view().rows(first, count));
        });
        CHECK(by_inputs == expected);

        // columns of a wider matrix
        buffer<S, 2> wide({e.inputs, e.outputs + 9});
        for (index k = 0; k < e.inputs; ++k) {
            for (index n = 0; n < e.outputs; ++n) wide(k, n + 4) = turned(k, n);
        }
        in_pieces(e.inputs, steps * writer::input_step, [&](index first, index count) {
            strided.writer().inputs(first, view<S const, 2>{&wide(first, 4), {count, e.outputs}, {e.outputs + 9, 1}});
        });
        CHECK(strided == expected);
    }
}

TEMPLATE_TEST_CASE("pieces of outputs and of inputs make the panels that the kernels read", "[backend][weight]", float,
                   double) {
    for (auto const& e : layer_extents)
        require_packed<TestType>(plateau::testing::random_buffer<TestType, 2>({e.outputs, e.inputs}, 3));
}

TEST_CASE("pieces in bfloat16 make pairs", "[backend][weight]") {
    for (auto const& e : layer_extents) {
        require_packed<float>(
            plateau::testing::in_bfloat16(plateau::testing::random_buffer<float, 2>({e.outputs, e.inputs}, 4)));
    }
}

TEMPLATE_TEST_CASE("a weight made first and filled afterwards is the one made from a matrix", "[backend][weight]",
                   float, double) {
    auto const matrix = plateau::testing::random_buffer<TestType, 2>({130, 7}, 5);
    backend::linear_weight<TestType> weight{backend::cpu_context{1}, 130, 7, dtype_of<TestType>};
    auto const writer = weight.writer();
    auto const moved = std::move(weight);
    writer.outputs(64, matrix.view().rows(64, 66));
    writer.outputs(0, matrix.view().rows(0, 64));
    backend::linear_weight<TestType> const direct{matrix};
    CHECK(moved.outputs() == 130);
    CHECK(moved.inputs() == 7);
    CHECK_FALSE(moved.is_bf16());
    for (index p = 0; p < direct.panels(); ++p) {
        CHECK(std::memcmp(moved.panel(p), direct.panel(p), 64 * 7 * sizeof(TestType)) == 0);
    }
    CHECK(moved(129, 6) == matrix(129, 6));
}

}  // namespace
