#pragma once
/// Illustrative prompt pairs of the paper: three whose last words call for different next tokens, three whose do not.

#include <array>

namespace plateau::corpus {

/// Two prompts that differ in what comes after a common beginning.
struct illustrative_pair {
    char const* name;  ///< D1, D2, D3: dissimilar; S1, S2, S3: similar
    char const* beginning;
    char const* a;
    char const* b;

    bool similar() const { return name[0] == 'S'; }
};

/// All start with a space. @see Janiak et al. 2024, figure 2 and code
inline constexpr std::array<illustrative_pair, 6> illustrative_pairs{{
    {"D1", " The house at the end of the street was", " very", " in"},
    {"D2", " He suddenly looked at his watch and realized he", " was", " had"},
    {"D3", " And then she picked up the phone to call", " her", " him"},
    {"S1", " She opened the dusty book and a cloud of", " mist", " dust"},
    {"S2", " In the quiet library, students flipped through pages", " of", " in"},
    {"S3", " The hiker reached the peak and admired the", " breathtaking", " spectacular"},
}};

}  // namespace plateau::corpus
