#pragma once
/// Everything that a study needs. For less, include the exact header.

#include <plateau/engine/derivatives.hpp>
#include <plateau/engine/load.hpp>
#include <plateau/engine/read/predictions.hpp>
#include <plateau/engine/read/read_out.hpp>
#include <plateau/metrics/l2_distance.hpp>
#include <plateau/metrics/max_slope.hpp>
#include <plateau/metrics/relative_distance.hpp>
#include <plateau/paths/grid.hpp>
#include <plateau/paths/linear.hpp>
#include <plateau/statistics/quantile.hpp>
#include <plateau/sweep/interpolate.hpp>
