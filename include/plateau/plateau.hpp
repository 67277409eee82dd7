#pragma once
/// Everything that a study needs. For less, include the exact header.

#include <plateau/backend/backends.hpp>
#include <plateau/metrics/l2_distance.hpp>
#include <plateau/metrics/max_slope.hpp>
#include <plateau/metrics/relative_distance.hpp>
#include <plateau/models/forward.hpp>
#include <plateau/models/load.hpp>
#include <plateau/paths/linear.hpp>
#include <plateau/statistics/quantile.hpp>
#include <plateau/sweep/interpolate.hpp>
#include <plateau/sweep/patched_rows.hpp>
