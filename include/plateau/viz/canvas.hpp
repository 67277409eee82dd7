#pragma once
/// A picture to draw on, and its PNG. The only header that names cairo.

#if (defined(PLATEAU_HAS_CAIRO) && !PLATEAU_HAS_CAIRO) || !__has_include(<cairo.h>)
#error "plateau/viz needs cairo (Debian: libcairo2-dev, flags from `pkg-config --cflags --libs cairo`)"
#endif

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <initializer_list>
#include <memory>
#include <ostream>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <cairo.h>

#include <plateau/core/atomic_file.hpp>
#include <plateau/core/error.hpp>
#include <plateau/core/types.hpp>
#include <plateau/viz/colour.hpp>
#include <plateau/viz/geometry.hpp>
#include <plateau/viz/printable.hpp>

namespace plateau::viz {

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
    /// @throws domain_error unless width and height are positive and at most 32,767 pixels; memory_error
    canvas(double width, double height, double scale = 2) : width_{width}, height_{height}, scale_{scale} {
        double const columns = std::ceil(width * scale), lines = std::ceil(height * scale);
        if (!(columns >= 1 && lines >= 1 && columns <= 32767 && lines <= 32767 && scale > 0)) {
            throw domain_error("a picture must have 1 to 32767 pixels a side; choose another size");
        }
        surface_.reset(
            cairo_image_surface_create(CAIRO_FORMAT_RGB24, static_cast<int>(columns), static_cast<int>(lines)));
        context_.reset(cairo_create(surface_.get()));
        check();
        cairo_set_source_rgb(context_.get(), 1, 1, 1);
        cairo_paint(context_.get());
        cairo_scale(context_.get(), scale, scale);
        cairo_set_line_join(context_.get(), CAIRO_LINE_JOIN_ROUND);
        std::unique_ptr<cairo_font_options_t, deleter> const options{cairo_font_options_create()};
        cairo_font_options_set_antialias(options.get(), CAIRO_ANTIALIAS_GRAY);
        cairo_font_options_set_hint_style(options.get(), CAIRO_HINT_STYLE_NONE);
        cairo_font_options_set_hint_metrics(options.get(), CAIRO_HINT_METRICS_OFF);
        cairo_set_font_options(context_.get(), options.get());
    }

    double width() const { return width_; }
    double height() const { return height_; }
    index pixel_width() const { return cairo_image_surface_get_width(surface_.get()); }
    index pixel_height() const { return cairo_image_surface_get_height(surface_.get()); }

    void fill(rectangle area, colour ink) {
        cairo_rectangle(context_.get(), tame(area.left), tame(area.top), tame(area.width), tame(area.height));
        use(ink);
        cairo_fill(context_.get());
    }

    /// Fills the closed outline; points that are not finite are left out.
    void fill(std::span<point const> outline, colour ink) {
        cairo_new_path(context_.get());
        for (point const& at : outline) {
            if (std::isfinite(at.x) && std::isfinite(at.y)) cairo_line_to(context_.get(), tame(at.x), tame(at.y));
        }
        cairo_close_path(context_.get());
        use(ink);
        cairo_fill(context_.get());
    }

    /// A line through all points.
    void line(std::span<point const> points, pen const& with) {
        cairo_new_path(context_.get());
        for (point const& at : points) {
            if (std::isfinite(at.x) && std::isfinite(at.y)) cairo_line_to(context_.get(), tame(at.x), tame(at.y));
            else cairo_new_sub_path(context_.get());
        }
        use(with.ink);
        cairo_set_line_width(context_.get(), with.width);
        cairo_set_line_cap(context_.get(), with.dashes.empty() ? CAIRO_LINE_CAP_ROUND : CAIRO_LINE_CAP_BUTT);
        cairo_set_dash(context_.get(), with.dashes.data(), static_cast<int>(with.dashes.size()), 0);
        cairo_stroke(context_.get());
    }
    void line(std::initializer_list<point> points, pen const& with) {
        line(std::span<point const>{points.begin(), points.size()}, with);
    }

    /// Text in UTF-8 on one line; bytes that are not UTF-8 and control characters are replaced.
    void text(point at, std::string_view words, text_style const& style) {
        if (!std::isfinite(at.x) || !std::isfinite(at.y)) return;
        set_font(style);
        std::string const line = printable(words);
        cairo_text_extents_t capital, whole;
        cairo_text_extents(context_.get(), "H", &capital);
        cairo_text_extents(context_.get(), line.c_str(), &whole);
        double const x = style.across == horizontal::left     ? 0
                         : style.across == horizontal::centre ? -whole.x_advance / 2
                                                              : -whole.x_advance;
        double const y = style.along == vertical::baseline ? 0
                         : style.along == vertical::middle ? capital.height / 2
                                                           : capital.height;
        cairo_save(context_.get());
        cairo_translate(context_.get(), tame(at.x), tame(at.y));
        cairo_rotate(context_.get(), -style.angle * std::acos(-1.0) / 180);
        cairo_move_to(context_.get(), x, y);
        use(style.ink);
        cairo_show_text(context_.get(), line.c_str());
        cairo_restore(context_.get());
        cairo_new_path(context_.get());
    }

    /// Width of a text, in logical pixels.
    double text_width(std::string_view words, text_style const& style) {
        set_font(style);
        cairo_text_extents_t whole;
        cairo_text_extents(context_.get(), printable(words).c_str(), &whole);
        return whole.x_advance;
    }

    /// While it lives, nothing is drawn outside the area.
    class clip_scope {
    public:
        clip_scope(canvas& owner, rectangle area) : context_{owner.context_.get()} {
            cairo_save(context_);
            cairo_rectangle(context_, area.left, area.top, area.width, area.height);
            cairo_clip(context_);
        }
        ~clip_scope() { cairo_restore(context_); }
        clip_scope(clip_scope const&) = delete;
        clip_scope& operator=(clip_scope const&) = delete;

    private:
        cairo_t* context_;
    };
    [[nodiscard]] clip_scope clip(rectangle area) { return {*this, area}; }

    /// The bytes of the PNG file, RGB with 8 bits a channel. @throws memory_error
    std::string png() const {
        check();
        cairo_surface_flush(surface_.get());
        std::string bytes;
        auto const append = [](void* to, unsigned char const* data, unsigned count) noexcept {
            try {
                static_cast<std::string*>(to)->append(reinterpret_cast<char const*>(data), count);
                return CAIRO_STATUS_SUCCESS;
            } catch (...) {
                return CAIRO_STATUS_NO_MEMORY;
            }
        };
        check(cairo_surface_write_to_png_stream(surface_.get(), append, &bytes));
        return bytes;
    }

    /// @throws file_error if the stream does not take the bytes
    void write_png(std::ostream& out) const {
        std::string const bytes = png();
        out.write(bytes.data(), static_cast<std::streamsize>(bytes.size())).flush();
        if (!out) throw file_error("cannot write a picture: the stream takes no more bytes; look for a full disk");
    }

    /// Complete under its name or not at all. @throws file_error
    void write_png(std::filesystem::path const& path) const {
        atomic_file file{path};
        file.write(png());
        file.commit();
    }

private:
    struct deleter {
        void operator()(cairo_surface_t* surface) const { cairo_surface_destroy(surface); }
        void operator()(cairo_t* context) const { cairo_destroy(context); }
        void operator()(cairo_font_options_t* options) const { cairo_font_options_destroy(options); }
    };

    // cairo counts in 1/256 pixel with 32 bits
    static double tame(double coordinate) { return std::clamp(coordinate, -1e5, 1e5); }

    void use(colour ink) { cairo_set_source_rgba(context_.get(), ink.red, ink.green, ink.blue, ink.alpha); }

    void set_font(text_style const& style) {
        cairo_select_font_face(context_.get(), "DejaVu Sans", CAIRO_FONT_SLANT_NORMAL,
                               style.bold ? CAIRO_FONT_WEIGHT_BOLD : CAIRO_FONT_WEIGHT_NORMAL);
        cairo_set_font_size(context_.get(), style.size);
    }

    void check() const {
        check(cairo_surface_status(surface_.get()));
        check(cairo_status(context_.get()));
    }
    static void check(cairo_status_t status) {
        if (status == CAIRO_STATUS_SUCCESS) return;
        std::string const reason = std::string("cannot draw the picture: ") + cairo_status_to_string(status);
        if (status == CAIRO_STATUS_NO_MEMORY) throw memory_error(reason, "; choose a smaller one");
        throw error(reason);
    }

    double width_;
    double height_;
    double scale_;
    std::unique_ptr<cairo_surface_t, deleter> surface_;
    std::unique_ptr<cairo_t, deleter> context_;
};

}  // namespace plateau::viz
