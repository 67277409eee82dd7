#pragma once
#include <vector>

std::vector<double> by_headers(char const* path);
std::vector<double> by_library(char const* path);
