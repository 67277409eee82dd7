#pragma once
/// Packed weights that the ranks of a machine have once between them.

#include <cstddef>
#include <functional>
#include <span>
#include <vector>

#include <plateau/models/memory_plan.hpp>
#include <plateau/program/compiled.hpp>
#include <plateau/program/long_run/ranks.hpp>

namespace plateau::program {

/// The machine's first rank fills the memory and leaves its bytes in a file, in /dev/shm or the folder of temporary
/// files, whichever has room, which has lost its name when all ranks there have mapped its pages over their own, copied
/// when written to. Without room, and of pages that do not lie alike, each rank has its own.
class weights_of_machine final : public models::weight_sharing {
public:
    /// @param all  kept as a reference
    explicit weights_of_machine(ranks const& all) : all_{all} {}
    void share(std::vector<std::span<std::byte>> const& memory, std::function<void()> const& fill) const override;

private:
    void fill_and_show(std::vector<std::span<std::byte>> const& memory, std::vector<std::size_t> const& phases,
                       std::function<void()> const& fill) const;
    /// @return whether all memory has what the first rank has
    bool map(std::vector<std::span<std::byte>> const& memory, std::vector<std::size_t> const& phases) const;

    ranks const& all_;
};

}  // namespace plateau::program

#if !PLATEAU_PROGRAM_COMPILED
#include <plateau/program/long_run/impl/shared_weights.ipp>
#endif
