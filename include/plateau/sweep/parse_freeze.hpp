#pragma once
/// Parser of frozen sites: patterns, each with the value that its sites are held at.

#include <string>
#include <vector>

#include <plateau/core/error.hpp>
#include <plateau/core/split.hpp>
#include <plateau/sweep/freeze.hpp>

namespace plateau::sweep {

/// "a,b@A", "a@A,b@mean": a pattern without a value has that of the next one with a value. @throws usage_error
inline std::vector<frozen_sites> parse_freeze(std::vector<std::string> const& texts) {
    std::vector<frozen_sites> all;
    for (auto const& text : texts) {
        std::size_t valued = all.size();
        for (auto const& one : split(text)) {
            auto const at = one.find('@');
            auto const value = at == std::string::npos ? std::string() : one.substr(at + 1);
            if (at == 0 || one.empty() || (at != std::string::npos && value != "A" && value != "mean")) {
                throw usage_error("--freeze " + text + ": '" + one + "' is not SITES@A or SITES@mean");
            }
            all.push_back({one.substr(0, at), frozen_at::context});
            if (at == std::string::npos) continue;
            for (; valued < all.size(); ++valued)
                all[valued].value = value == "A" ? frozen_at::context : frozen_at::path_mean;
        }
        if (valued < all.size())
            throw usage_error("--freeze " + text + ": at which value? give " + text + "@A or " + text + "@mean");
    }
    return all;
}

}  // namespace plateau::sweep
