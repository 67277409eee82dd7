#pragma once
/// A picture to draw on, and its PNG. Drawn by cairo, which its bodies alone name.

#include <filesystem>
#include <initializer_list>
#include <memory>
#include <ostream>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <plateau/core/macros.hpp>
#include <plateau/core/types.hpp>
#include <plateau/viz/colour.hpp>
#include <plateau/viz/geometry.hpp>

struct _cairo;
struct _cairo_surface;

namespace plateau::viz {

/// Whether this build has cairo. Without it every header of viz/ compiles, and making a canvas throws.
#if (!defined(PLATEAU_HAS_CAIRO) || PLATEAU_HAS_CAIRO) && __has_include(<cairo.h>)
inline constexpr bool can_draw = true;
#else
inline constexpr bool can_draw = false;
#endif

/// How a line is drawn. Widths and dashes in logical pixels; without dashes the line is solid.
struct pen {
    colour ink;
    double width = 1;
    std::vector<double> dashes = {};
};

enum class horizontal { left, centre, right };
enum class vertical { baseline, middle, top };

/// How a text is set. The size is that of the em in logical pixels; the angle turns it counter-clockwise, in degrees.
struct text_style {
    double size = 12;
    colour ink = palette::ink;
    bool bold = false;
    horizontal across = horizontal::left;
    vertical along = vertical::baseline;
    double angle = 0;
};

/// An opaque white picture of width × height logical pixels, each `scale` × `scale` pixels of the file.
/// Coordinates that are not finite end a line and start the next one; those far outside are harmless.
/// The same calls give the same bytes (with the same cairo and fonts): no time, no names.
class canvas {
public:
    /// @throws domain_error unless width and height are positive and at most 32,767 pixels; memory_error; config_error
    ///         in a build without cairo
    canvas(double width, double height, double scale = 2);

    double width() const { return width_; }
    double height() const { return height_; }
    index pixel_width() const;
    index pixel_height() const;

    void fill(rectangle area, colour ink);

    /// Fills the closed outline; points that are not finite are left out.
    void fill(std::span<point const> outline, colour ink);

    /// A line through all points.
    void line(std::span<point const> points, pen const& with);
    void line(std::initializer_list<point> points, pen const& with) {
        line(std::span<point const>{points.begin(), points.size()}, with);
    }

    /// Text in UTF-8 on one line; bytes that are not UTF-8 and control characters are replaced.
    void text(point at, std::string_view words, text_style const& style);

    /// Width of a text, in logical pixels.
    double text_width(std::string_view words, text_style const& style);

    /// While it lives, nothing is drawn outside the area.
    class clip_scope {
    public:
        clip_scope(canvas& owner, rectangle area);
        ~clip_scope();
        clip_scope(clip_scope const&) = delete;
        clip_scope& operator=(clip_scope const&) = delete;

    private:
        _cairo* context_;
    };
    [[nodiscard]] clip_scope clip(rectangle area) { return {*this, area}; }

    /// The bytes of the PNG file, RGB with 8 bits a channel. @throws memory_error
    std::string png() const;

    /// @throws file_error if the stream does not take the bytes
    void write_png(std::ostream& out) const;

    /// Complete under its name or not at all. @throws file_error
    void write_png(std::filesystem::path const& path) const;

private:
    struct deleter {
        void operator()(_cairo_surface* surface) const;
        void operator()(_cairo* context) const;
    };

    void use(colour ink);
    void set_font(text_style const& style);
    void check() const;

    double width_;
    double height_;
    std::unique_ptr<_cairo_surface, deleter> surface_;
    std::unique_ptr<_cairo, deleter> context_;
};

}  // namespace plateau::viz

#if !PLATEAU_COMPILED
#include <plateau/viz/impl/canvas.ipp>
#endif
