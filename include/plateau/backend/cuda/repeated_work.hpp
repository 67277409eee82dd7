#pragma once
/// Work that comes by again and again in the same form.

#include <array>
#include <cstddef>
#include <optional>
#include <utility>
#include <vector>

#include <plateau/backend/cuda/graph.hpp>

namespace plateau::backend {

/// Gives work to a device as it comes for the first time, records it when its form comes by again, and from then on
/// gives the record, which costs the host one call instead of hundreds. Where the context records nothing, it gives the
/// work every time.
class repeated_work {
public:
    /// @param form  what the work has in common with work that came before, the memory of matrix products aside
    /// @param give  gives the work: as `cuda::graph` wants it, unless the form is new
    template <class Give>
    void run(cuda_context const& ctx, work_form const& form, Give const& give) {
        if (!ctx.records_work()) return give();
        key const of{form, ctx.blas().moves()};
        for (auto& known : forms_) {
            if (known.of != of) continue;
            if (!known.record && !known.refused) record(ctx, known, give);
            return known.record ? known.record->run() : give();
        }
        give();
        if (forms_.size() == most_forms) forms_.erase(forms_.begin());
        forms_.push_back({of, std::nullopt, false});
    }

private:
    static constexpr std::size_t most_forms = 8;
    using key = std::pair<work_form, std::size_t>;
    struct known_form {
        key of;
        std::optional<cuda::graph> record;
        bool refused;
    };

    /// What cannot be recorded is given as it is, which reports its own trouble if it has some.
    template <class Give>
    static void record(cuda_context const& ctx, known_form& known, Give const& give) {
        try {
            known.record.emplace(ctx, give);
        } catch (device_error const& why) {
            known.refused = true;
            ctx.notice(concat({"work is given anew each time, for it cannot be recorded: ", why.what()}));
        }
    }
    std::vector<known_form> forms_;
};

}  // namespace plateau::backend
