#pragma once
/// Points per second of the whole experiment, prompts included, beside PyTorch's where that was measured: G6 and G7.

#include <fstream>
#include <map>

#include <plateau/sweep/interpolate.hpp>

#include "device.hpp"

namespace plateau::benchmarks {

/// What PyTorch reached, by "way/shape/dtype/points". @see torch_peer.py
using peer_points = std::map<std::string, double>;

/// @throws file_error
inline peer_points read_peer_points(std::string const& path) {
    peer_points all;
    if (path.empty()) return all;
    std::ifstream file{path};
    auto const read = nlohmann::json::parse(file, nullptr, false);
    if (read.is_discarded() || !read.contains("points_per_second"))
        throw file_error(path, " holds no figures of torch_peer.py");
    for (auto const& [name, value] : read["points_per_second"].items()) all[name] = value.get<double>();
    return all;
}

/// Points per second of the published experiment: a chain of pairs, patched after block 0, distances after the final
/// norm.
class point_run {
public:
    point_run(model<float> const& of, index pairs, index points)
        : model_{of}, points_{points}, prompts_{random_prompts(pairs + 1, 10)} {
        for (index i = 0; i < pairs; ++i) pairs_.push_back({i, i + 1});
    }

    double operator()() const {
        double const time = wall_seconds([&] { sweep::interpolate(model_, prompts_, pairs_, points_); });
        return static_cast<double>(static_cast<index>(pairs_.size()) * points_) / time;
    }

private:
    model<float> const& model_;
    index points_;
    prompt_list prompts_;
    std::vector<sweep::prompt_pair> pairs_;
};

struct device_mode {
    char const* name;
    backend::float_products products;
    bool bf16;  ///< weights stored so
};

inline void measure_gpu_points(gpu_settings const& s, peer_points const& peer, std::vector<ratio>& ratios) {
    using enum backend::float_products;
    for (auto const& mode :
         {device_mode{"fp32", fp32, false}, {"tf32", tf32, false}, {"bf16x3", bf16x3, false}, {"bf16", fp32, true}}) {
        for (auto const& published : {smollm2, gpt2}) {
            auto const shape = s.models({published}).front();
            auto const ctx = std::make_shared<device const>(mode.products);
            model<float> const random{
                ctx, mode.bf16 ? random_model<bfloat16>(*ctx, shape) : random_model<float>(*ctx, shape)};
            for (index const pairs : s.tiny ? std::vector<index>{1, 2} : std::vector<index>{1, 20, 320}) {
                point_run const run{random, pairs, s.tiny ? 5 : 50};
                index const points = pairs * (s.tiny ? 5 : 50);
                run();
                std::vector<double> rates;
                for (int round = 0; round < s.rounds; ++round) rates.push_back(run());
                std::string const of = concat({", ", mode.name, ", ", shape.name, ", ", points, " points"});
                double const rate = median(rates);
                ratio plain{"points", "points per second" + of, rate, 0, 0};
                plain.not_applicable = "no ratio";
                ratios.push_back(plain);
                auto const beside = [&](char const* way, char const* id, char const* what, double gate, double aim) {
                    auto const found = peer.find(concat({way, "/", shape.name, "/", mode.name, "/", points}));
                    if (found == peer.end()) return;
                    std::string const other = "PyTorch " + in_units(found->second) + "points per second";
                    ratios.push_back({id, what + of, rate / found->second, gate, aim, false, other});
                };
                bool const few = pairs == 1;
                beside("shared", "G6", "points per second / PyTorch, shared prefix, eager", few ? 3 : 1.2,
                       few ? 6 : 1.5);
                beside("naive", "G7", "points per second / PyTorch, hooks, batches of 50", 25, 100);
            }
        }
    }
}

}  // namespace plateau::benchmarks
