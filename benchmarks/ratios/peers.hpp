#pragma once
/// C3, C4 and C5: plateau's matrix products beside those of other libraries, in one process and in turn, on one thread.

#include "../peers/peer.hpp"
#include "../random_model.hpp"
#include "../timing.hpp"
#include "report.hpp"

namespace plateau::benchmarks {

/// One product by both sides. @throws numeric_error if they disagree
template <class Stored>
class product_pair {
public:
    product_pair(peer const& other, matrix_shape const& shape, index rows)
        : other_{other}, shape_{shape}, plain_{random_values<float, 2>({shape.outputs, shape.inputs}, 1, 0.05f)},
          x_{random_values<float, 2>({rows, shape.inputs}, 2)}, own_y_({rows, shape.outputs}),
          peer_y_({rows, shape.outputs}), weight_{random_weight<Stored>(shape.outputs, shape.inputs, 1)},
          prepared_{other.prepare(plain_.data(), shape.outputs, shape.inputs, rows, std::is_same_v<Stored, bfloat16>)} {
        if (!possible()) return;
        own();
        theirs();
        float largest = 0, difference = 0;
        for (index i = 0; i < own_y_.size(); ++i) {
            float const a = own_y_.data()[i], b = peer_y_.data()[i];
            largest = std::max(largest, std::abs(a));
            difference = std::max(difference, std::abs(a - b));
        }
        if (!(difference <= 1e-4f * largest)) {
            throw numeric_error(other.name(), " and plateau disagree in the product of ", rows, " rows, ",
                                shape.outputs, " outputs and ", shape.inputs, " inputs: not timed");
        }
    }

    bool possible() const { return prepared_ != nullptr; }
    void own() { backend::linear<float>(ctx_, x_, weight_, own_y_); }
    void theirs() { other_.multiply(prepared_, x_.data(), peer_y_.data()); }
    matrix_shape const& shape() const { return shape_; }

private:
    context ctx_{1};
    peer const& other_;
    matrix_shape shape_;
    tensor::buffer<float, 2> plain_, x_, own_y_, peer_y_;
    backend::linear_weight<float> weight_;
    peer::product prepared_;
};

/// Time of the peer over plateau's, one product with every matrix of a SmolLM2 and a GPT-2 layer; for 1024, 50 and 11
/// rows.
template <class Stored>
void measure_peer(peer const& other, std::string const& id, std::string const& what, std::array<double, 3> gates,
                  double aim, settings const& s, std::vector<ratio>& ratios) {
    std::array<index, 3> const row_counts{1024, 50, 11};
    for (std::size_t i = 0; i < 3; ++i) {
        index const rows = row_counts[i];
        std::vector<std::unique_ptr<product_pair<Stored>>> products;
        std::vector<index> repeats;
        for (auto const& shape : matrices_of({smollm2, gpt2})) {
            products.push_back(std::make_unique<product_pair<Stored>>(other, shape, rows));
            if (!products.back()->possible()) return;
            repeats.push_back(repeats_for(s.slice, [&] { products.back()->own(); }));
        }
        std::vector<double> totals;
        std::vector<std::vector<double>> each(products.size());
        for (int round = 0; round < 2 * s.rounds; ++round) {
            double own = 0, theirs = 0;
            for (std::size_t p = 0; p < products.size(); ++p) {
                double const a = seconds_per_call(repeats[p], [&] { products[p]->own(); });
                double const b = seconds_per_call(repeats[p], [&] { products[p]->theirs(); });
                own += a;
                theirs += b;
                each[p].push_back(b / a);
            }
            totals.push_back(theirs / own);
        }
        std::vector<double> medians;
        for (auto const& one : each) medians.push_back(median(one));
        auto const least = std::min_element(medians.begin(), medians.end());
        auto const& shape = products[static_cast<std::size_t>(least - medians.begin())]->shape();
        ratios.push_back({id, concat({what, ", ", rows, " rows"}), median(totals), gates[i], aim, false,
                          "least " + fixed(*least, 2) + concat({" at ", shape.outputs, " x ", shape.inputs}) +
                              ", most " + fixed(*std::max_element(medians.begin(), medians.end()), 2)});
    }
}

/// Measures the peers that are there, and returns their names.
inline std::string measure_peers(settings const& s, std::vector<ratio>& ratios) {
    std::string names;
    auto const known = [&](peer const& one, char const* what) {
        names +=
            std::string(names.empty() ? "" : "; ") + (one ? one.name() : std::string("no ") + what + " in this build");
        return static_cast<bool>(one);
    };
    peer const eigen{"eigen"}, openblas{"openblas"}, onednn{"onednn"};
    if (known(eigen, "Eigen")) measure_peer<float>(eigen, "C3", "own / Eigen", {1.35, 1.5, 2.4}, 0, s, ratios);
    if (known(openblas, "OpenBLAS"))
        measure_peer<float>(openblas, "C4", "own / OpenBLAS tuned", {0.9, 1.4, 3}, 1, s, ratios);
    if (known(onednn, "oneDNN")) {
        measure_peer<float>(onednn, "C5", "own / oneDNN prepacked, fp32", {0.88, 0.88, 0.88}, 1, s, ratios);
        measure_peer<bfloat16>(onednn, "C5", "own / oneDNN prepacked, bf16", {0.88, 0.88, 0.88}, 1, s, ratios);
    }
    return names;
}

}  // namespace plateau::benchmarks
