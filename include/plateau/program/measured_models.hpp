#pragma once
/// The models that a run has measured: what their weights and their rotary positions were.

#include <iostream>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include <plateau/models/model_texts.hpp>
#include <plateau/program/options.hpp>
#include <plateau/program/rope_summary.hpp>
#include <plateau/program/weights_hash.hpp>

namespace plateau::program {

class measured_models {
public:
    /// Adds the model that --model and --weights name; a line on stderr if one before it has the same stored weights.
    /// @param texts  what was loaded      @throws file_error
    void add(common_options const& o, models::model_texts const& texts, int threads) {
        nlohmann::ordered_json hash;  // null: random weights are stored nowhere
        if (o.weights != "random") hash = weights_sha256(o.model, threads);
        for (std::size_t i = 0; i < hashes_.size() && !hash.is_null(); ++i) {
            if (hashes_[i] != hash) continue;
            std::cerr << "the checkpoints " << paths_[i] << " and " << o.model << " have the same weights\n";
            break;
        }
        paths_.push_back(o.model);
        hashes_.push_back(std::move(hash));
        rope_ = rope_summary(texts.config);
    }

    /// Of the last one; "null" of random weights.
    std::string last_hash() const { return hashes_.empty() ? "null" : hashes_.back().dump(); }

    /// Tells the last one, and where the program's own keys list `checkpoints`, the weights of each of them.
    void tell(nlohmann::ordered_json& summary, nlohmann::ordered_json const& own) const {
        summary["weights_sha256"] = hashes_.empty() ? nlohmann::ordered_json{} : hashes_.back();
        if (own.contains("checkpoints") && own["checkpoints"].size() == hashes_.size())
            summary["checkpoint_weights_sha256"] = hashes_;
        summary["rope"] = rope_;
    }

private:
    std::vector<std::string> paths_;
    std::vector<nlohmann::ordered_json> hashes_;
    nlohmann::ordered_json rope_;
};

}  // namespace plateau::program
