#pragma once
/// What a program prints, as HTML: its tables as tables, other lines as they stand.

#include <string>

#include <plateau/program/compiled.hpp>

namespace plateau::program::report {

/// A table is what plateau::table renders: a head line, a line of dashes that tells the columns, and the rows below as
/// long as they fit the columns and have more than a first cell. Columns of numbers, with or without their intervals,
/// get the class "number".
std::string printed_html(std::string const& text);

}  // namespace plateau::program::report

#if !PLATEAU_PROGRAM_COMPILED
#include <plateau/program/report/impl/printed.ipp>
#endif
