#pragma once
/// A manifest of what a program leaves, told once: it makes the text of --help, and outputs are checked against it.

#include <string>
#include <string_view>
#include <vector>

#include <plateau/program/compiled.hpp>

namespace plateau::program {

/// One file, or one kind of numbered files.
struct file {
    std::string name;       ///< "relative.npy"; a K between dots, as in "distances.K.npy", stands for 2, 3, …
    std::string holds;      ///< "float64 [P,S]": type and axes; of other files what they hold, "P x S rows"
    std::string what;       ///< meaning and unit
    std::string when = {};  ///< the option without which it is not written; empty: it always is
};

/// All files of a program. Axes are letters, or numbers; one that may be absent, as n in "[n?,G,G]", is for `axes` to
/// tell.
struct manifest {
    std::string axes;                     ///< "P pairs, S steps"
    std::vector<file> files;              ///< without summary.json
    std::string summary = {};             ///< keys of summary.json beside those that all programs have
    std::vector<std::string> notes = {};  ///< paragraphs after the files
    std::string where = "Files written to --out";
};

/// What most programs leave beside their own files.
inline file const tokens_file{"tokens.npy", "int64 [N,T]", "token ids of the prompts, -1 beyond a shorter one"};
inline file const lengths_file{"lengths.npy", "int64 [N]", "tokens of each prompt", "if lengths differ"};
inline file const pairs_file{"pairs.npy", "int64 [P,2]", "prompts of each pair, counted from 0: context, other"};

/// What summary.json has of every program.
inline constexpr char const* common_keys =
    "program, version, model, weights_sha256 (of its stored tensors; null with --weights random), rope (type, theta, "
    "dimensions that rotate, factors that divide the frequencies; null without), checkpoint_weights_sha256 (a list, "
    "where `checkpoints` is one; weights_sha256 and rope are then those of the last), dtype, backend, instruction_set "
    "(or device), float_products, threads, seed, seconds, load_seconds, points_per_second, peak_memory (bytes), ranks, "
    "resumed_points, options";

/// The axes of "float64 [P,S]", "P" and "S"; none of what is no array.
std::vector<std::string> axes_of(file const& one);

/// Whether a file has that name: "distances.2.npy" is one of "distances.K.npy".
bool has_name(file const& one, std::string_view name);

/// The part of --help that tells every file with its shape and unit.
std::string help_text(manifest const& leaves);

}  // namespace plateau::program

#if !PLATEAU_PROGRAM_COMPILED
#include <plateau/program/impl/manifest.ipp>
#endif
