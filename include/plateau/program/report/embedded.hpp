#pragma once
/// Texts that every page holds, as the build has found them: style, script, and the library that draws curves.

#if __has_include(<plateau_report_texts.hpp>)
#include <plateau_report_texts.hpp>  // made by cmake/report.cmake
#endif

/// 1 where CMake has made them, which it does for plateau::program on a machine with dygraphs. Otherwise there are no
/// pages.
#ifndef PLATEAU_REPORT_TEXTS
#define PLATEAU_REPORT_TEXTS 0
#endif

#include <string>

namespace plateau::program::report {

/// The pieces of a text, joined: compilers take string literals of some length only.
template <class Pieces>
std::string joined(Pieces const& pieces) {
    std::string text;
    for (char const* const piece : pieces) text += piece;
    return text;
}

}  // namespace plateau::program::report
