// The same sweep on a CUDA device, beside the processor. Says so, and ends well, where there is none.
//
//     on_a_device [MODEL]
//
// -> (no device: .+|cuda .+ largest difference [0-9.e+-]+)

#include <algorithm>
#include <cmath>
#include <cstdio>

#include <plateau/plateau.hpp>

int main(int argc, char** argv) {
    std::string const path = argc > 1 ? argv[1] : "examples/data/embedded";
    auto const curve_on = [&](plateau::device where) {
        auto const model = plateau::load<float>(path, {.backend = {.on = where}});
        std::printf("%s (%s)\n", model.computer().backend.c_str(), model.computer().kind.c_str());
        return plateau::sweep::interpolate(model, {11, 203, 45, 310, 27, 99}, {11, 203, 45, 310, 27, 154}, 50);
    };
    auto const on_processor = curve_on(plateau::device::cpu);
    try {
        auto const on_device = curve_on(plateau::device::cuda);
        double largest = 0;
        for (std::size_t i = 0; i < on_device.size(); ++i) {
            largest = std::max(largest, std::abs(on_device[i] - on_processor[i]));
        }
        std::printf("cuda and cpu: largest difference %.1e\n", largest);
    } catch (plateau::error const& problem) {  // no CUDA in this build, or no device on this machine
        std::printf("no device: %s\n", problem.what());
    }
}
