#pragma once
/// Where the build says that things are: in every test program, or in those that link what plateau_bake made of it. No
/// definitions of the preprocessor, so that the same source is compiled in every folder.

namespace baked {

extern char const* const tests;           ///< this repository's tests/
extern char const* const programs;        ///< the folder of the example programs
extern char const* const data;            ///< this repository's examples/data/
extern char const* const stable_regions;  ///< the program whose rows are on a device

}  // namespace baked
