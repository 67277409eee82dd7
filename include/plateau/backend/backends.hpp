#pragma once
/// The backends: which there are, and the one that somebody asks for. The only header outside of their folders that
/// knows. The CPU's is always there, the CUDA backend's where `plateau::cuda` is linked, which says so by
/// PLATEAU_HAS_CUDA.

#include <cstdlib>
#include <filesystem>
#include <functional>
#include <memory>
#include <string>
#include <system_error>

#include <plateau/backend/cpu.hpp>
#include <plateau/backend/float_products.hpp>
#include <plateau/core/shared.hpp>
#if PLATEAU_HAS_CUDA
#include <plateau/backend/cuda.hpp>
#endif

namespace plateau {

/// What computes.
enum class device {
    cpu,
    cuda,  ///< the current CUDA device
    best,  ///< that, or the CPU where there is none
};

}  // namespace plateau

namespace plateau::backend {

/// A backend as somebody asks for it.
struct request {
    device on = device::cpu;
    int threads = 0;                                      ///< of the CPU; 0 means one per hardware thread
    float_products products = float_products::fp32;       ///< of weights in float
    std::function<void(std::string const&)> notice = {};  ///< told of what the user should know
};

/// Names of what computes, as programs take them, in the order of `device`.
inline constexpr char const* device_names[] = {"cpu", "cuda", "auto"};

/// @throws usage_error on a name that none has
inline device device_named(std::string const& name) {
    for (int i = 0; i < 3; ++i) {
        if (name == device_names[i]) return static_cast<device>(i);
    }
    throw usage_error("there is no backend '", name, "': cpu, cuda and auto are");
}

/// Gives each of the processes of a machine one of its devices, unless the environment says already which ones there
/// are: process `number` the one of that number, counted around. Has to come before a device is looked for.
/// @param listed  folder with an entry for each device of the machine
inline void take_device_of([[maybe_unused]] int number,
                           [[maybe_unused]] std::filesystem::path const& listed = "/proc/driver/nvidia/gpus") {
#if PLATEAU_HAS_CUDA
    std::error_code ignored;
    int count = 0;
    for (std::filesystem::directory_iterator one{listed, ignored}; one != std::filesystem::directory_iterator{}; ++one)
        ++count;
    if (count > 1) ::setenv("CUDA_VISIBLE_DEVICES", std::to_string(number % count).c_str(), 0);
#endif
}

/// Who computes, as a summary says it.
struct computer {
    std::string backend;  ///< cpu or cuda
    std::string kind;     ///< the instruction set, or the device and how its products are formed
    int threads = 0;
    float_products products = float_products::fp32;
};

inline computer computer_of(cpu_context const& ctx) {
    return {device_names[0], std::string{name_of(ctx.path())}, ctx.threads(), ctx.products()};
}
#if PLATEAU_HAS_CUDA
inline computer computer_of(cuda_context const& ctx) {
    return {device_names[1], concat({ctx.device_name(), ", float products in ", name_of(ctx.products())}),
            ctx.threads(), ctx.products()};
}

/// The device that is asked for; null for the CPU. @throws device_error where device::cuda finds none
inline std::shared_ptr<cuda_context const> device_for(request const& what) {
    if (what.on == device::cpu) return nullptr;
    try {
        auto found = shared<cuda_context>(what.products);
        if (what.notice) found->on_notice(what.notice);
        if (what.on == device::best && what.notice) what.notice("backend: cuda (" + found->device_name() + ")");
        return found;
    } catch (device_error const& why) {
        if (what.on == device::cuda) throw;
        if (what.notice) what.notice(concat({"backend: cpu (", why.what(), ")"}));
        return nullptr;
    }
}
#endif

/// Calls f with a context of the backend that is asked for, std::shared_ptr<Context const>, and gives what it gives.
/// @throws usage_error where this build has no such backend; device_error where there is no device
template <class F>
auto with_context(request const& what, F const& f) {
#if PLATEAU_HAS_CUDA
    if (auto const found = device_for(what)) return f(found);
#else
    if (what.on == device::cuda) {
        throw usage_error(
            "--backend cuda: this build has no CUDA backend; configure with -DPLATEAU_CUDA=ON, or use --backend cpu or "
            "auto");
    }
    if (what.on == device::best && what.notice) what.notice("backend: cpu (this build has no CUDA backend)");
#endif
    if (what.notice && find_tiles() == tiles::refused)
        what.notice("instruction set: this processor has tiles (AMX), but the system refuses them to this process");
    return f(shared<cpu_context const>(what.threads, chosen_instruction_set(), what.products));
}

}  // namespace plateau::backend
