#pragma once
/// Normalizer: changes a text before it is cut into words. Its normalization forms need utf8proc; where there is none
/// it still compiles, and a normalizer that asks for one is an error.

#include <string>
#include <string_view>
#include <vector>

#include <plateau/core/macros.hpp>
#include <plateau/io/tokenizer/text_step.hpp>

namespace plateau::io {

/// The steps of a tokenizer's normalizer.
class normalizer {
public:
    /// @throws config_error if a normalization form is asked for and utf8proc was not there at compile time
    explicit normalizer(std::vector<text_step> steps);

    /// True if it leaves every text as it is.
    bool empty() const { return steps_.empty(); }

    /// The steps one after the other. @pre valid UTF-8      @post valid UTF-8
    std::string operator()(std::string_view text) const;

private:
    std::vector<text_step> steps_;
};

}  // namespace plateau::io

#if !PLATEAU_COMPILED
#include <plateau/io/tokenizer/impl/normalizer.ipp>
#endif
