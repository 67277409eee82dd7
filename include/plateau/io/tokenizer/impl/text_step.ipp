#pragma once
/// Bodies of io/tokenizer/text_step.hpp.

#include <string_view>
#include <vector>

#include <plateau/core/macros.hpp>
#include <plateau/io/tokenizer/text_step.hpp>

namespace plateau::io {

PLATEAU_INLINE text_step& add_step(std::vector<text_step>& steps, text_step::action what, std::string_view text,
                                   std::string_view content) {
    auto& step = steps.emplace_back();
    step.what = what;
    step.text = text;
    step.content = content;
    return step;
}

}  // namespace plateau::io
