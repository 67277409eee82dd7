#pragma once
/// Two random models, as if one were a later checkpoint, and prompts: what programs of a training are run on.

#include "programs/run.hpp"

namespace programs {

/// Folders step-8 and step-32, and tokens.npy: twelve prompts of nine tokens, of which two pairs end alike.
struct two_checkpoints {
    two_checkpoints() {
        tiny::checkpoint const first{3}, second{4};
        for (auto const& [name, model] : {std::pair{"step-8", &first}, {"step-32", &second}}) {
            std::filesystem::create_directory(dir / name);
            model->write(dir / name);
        }
        prompts = tiny::random_prompts(5, std::vector<plateau::index>(12, 9), first.vocab);
        prompts[3].back() = prompts[0].back();
        prompts[7].back() = prompts[5].back();
        tokens = write_tokens(dir / "tokens.npy", prompts);
    }
    std::string path(std::string const& name) const { return (dir / name).string(); }

    plateau::testing::scratch_dir dir;
    std::vector<std::vector<plateau::token_id>> prompts;
    std::string tokens;
};

}  // namespace programs
