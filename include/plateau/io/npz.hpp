#pragma once
/// Several named arrays in one file: NumPy's NPZ. Needs minizip and zlib; link them.

#include <plateau/io/npz_reader.hpp>
#include <plateau/io/npz_writer.hpp>
