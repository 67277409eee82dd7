#pragma once
/// Several named arrays in one file: NumPy's NPZ. Needs minizip; link it.

#include <plateau/io/npz_reader.hpp>
#include <plateau/io/npz_writer.hpp>
