#pragma once
/// Bodies of viz/canvas.hpp. The only file that names cairo.

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <memory>
#include <ostream>
#include <span>
#include <string>
#include <string_view>

#include <plateau/core/atomic_file.hpp>
#include <plateau/core/error.hpp>
#include <plateau/core/macros.hpp>
#include <plateau/viz/canvas.hpp>
#include <plateau/viz/printable.hpp>

#if (!defined(PLATEAU_HAS_CAIRO) || PLATEAU_HAS_CAIRO) && __has_include(<cairo.h>)
#include <cairo.h>

namespace plateau::viz {

namespace detail {

// cairo counts in 1/256 pixel with 32 bits
PLATEAU_INLINE_HOT double tame(double coordinate) { return std::clamp(coordinate, -1e5, 1e5); }

PLATEAU_INLINE void require_drawn(cairo_status_t status) {
    if (status == CAIRO_STATUS_SUCCESS) return;
    std::string const reason = std::string("cannot draw the picture: ") + cairo_status_to_string(status);
    if (status == CAIRO_STATUS_NO_MEMORY) throw memory_error(reason, "; choose a smaller one");
    throw error(reason);
}

}  // namespace detail

PLATEAU_INLINE canvas::canvas(double width, double height, double scale) : width_{width}, height_{height} {
    double const columns = std::ceil(width * scale), lines = std::ceil(height * scale);
    if (!(columns >= 1 && lines >= 1 && columns <= 32767 && lines <= 32767 && scale > 0)) {
        throw domain_error("a picture must have 1 to 32767 pixels a side; choose another size");
    }
    surface_.reset(cairo_image_surface_create(CAIRO_FORMAT_RGB24, static_cast<int>(columns), static_cast<int>(lines)));
    context_.reset(cairo_create(surface_.get()));
    check();
    cairo_set_source_rgb(context_.get(), 1, 1, 1);
    cairo_paint(context_.get());
    cairo_scale(context_.get(), scale, scale);
    cairo_set_line_join(context_.get(), CAIRO_LINE_JOIN_ROUND);
    std::unique_ptr<cairo_font_options_t, decltype(&cairo_font_options_destroy)> const options{
        cairo_font_options_create(), &cairo_font_options_destroy};
    cairo_font_options_set_antialias(options.get(), CAIRO_ANTIALIAS_GRAY);
    cairo_font_options_set_hint_style(options.get(), CAIRO_HINT_STYLE_NONE);
    cairo_font_options_set_hint_metrics(options.get(), CAIRO_HINT_METRICS_OFF);
    cairo_set_font_options(context_.get(), options.get());
}

PLATEAU_INLINE index canvas::pixel_width() const { return cairo_image_surface_get_width(surface_.get()); }
PLATEAU_INLINE index canvas::pixel_height() const { return cairo_image_surface_get_height(surface_.get()); }

PLATEAU_INLINE void canvas::fill(rectangle area, colour ink) {
    using detail::tame;
    cairo_rectangle(context_.get(), tame(area.left), tame(area.top), tame(area.width), tame(area.height));
    use(ink);
    cairo_fill(context_.get());
}

PLATEAU_INLINE void canvas::fill(std::span<point const> outline, colour ink) {
    cairo_new_path(context_.get());
    for (point const& at : outline) {
        if (std::isfinite(at.x) && std::isfinite(at.y))
            cairo_line_to(context_.get(), detail::tame(at.x), detail::tame(at.y));
    }
    cairo_close_path(context_.get());
    use(ink);
    cairo_fill(context_.get());
}

PLATEAU_INLINE void canvas::line(std::span<point const> points, pen const& with) {
    cairo_new_path(context_.get());
    for (point const& at : points) {
        if (std::isfinite(at.x) && std::isfinite(at.y))
            cairo_line_to(context_.get(), detail::tame(at.x), detail::tame(at.y));
        else cairo_new_sub_path(context_.get());
    }
    use(with.ink);
    cairo_set_line_width(context_.get(), with.width);
    cairo_set_line_cap(context_.get(), with.dashes.empty() ? CAIRO_LINE_CAP_ROUND : CAIRO_LINE_CAP_BUTT);
    cairo_set_dash(context_.get(), with.dashes.data(), static_cast<int>(with.dashes.size()), 0);
    cairo_stroke(context_.get());
}

PLATEAU_INLINE void canvas::text(point at, std::string_view words, text_style const& style) {
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
    cairo_translate(context_.get(), detail::tame(at.x), detail::tame(at.y));
    cairo_rotate(context_.get(), -style.angle * std::acos(-1.0) / 180);
    cairo_move_to(context_.get(), x, y);
    use(style.ink);
    cairo_show_text(context_.get(), line.c_str());
    cairo_restore(context_.get());
    cairo_new_path(context_.get());
}

PLATEAU_INLINE double canvas::text_width(std::string_view words, text_style const& style) {
    set_font(style);
    cairo_text_extents_t whole;
    cairo_text_extents(context_.get(), printable(words).c_str(), &whole);
    return whole.x_advance;
}

PLATEAU_INLINE canvas::clip_scope::clip_scope(canvas& owner, rectangle area) : context_{owner.context_.get()} {
    cairo_save(context_);
    cairo_rectangle(context_, area.left, area.top, area.width, area.height);
    cairo_clip(context_);
}
PLATEAU_INLINE canvas::clip_scope::~clip_scope() { cairo_restore(context_); }

PLATEAU_INLINE std::string canvas::png() const {
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
    detail::require_drawn(cairo_surface_write_to_png_stream(surface_.get(), append, &bytes));
    return bytes;
}

PLATEAU_INLINE void canvas::deleter::operator()(_cairo_surface* surface) const { cairo_surface_destroy(surface); }
PLATEAU_INLINE void canvas::deleter::operator()(_cairo* context) const { cairo_destroy(context); }

PLATEAU_INLINE void canvas::use(colour ink) {
    cairo_set_source_rgba(context_.get(), ink.red, ink.green, ink.blue, ink.alpha);
}

PLATEAU_INLINE void canvas::set_font(text_style const& style) {
    cairo_select_font_face(context_.get(), "DejaVu Sans", CAIRO_FONT_SLANT_NORMAL,
                           style.bold ? CAIRO_FONT_WEIGHT_BOLD : CAIRO_FONT_WEIGHT_NORMAL);
    cairo_set_font_size(context_.get(), style.size);
}

PLATEAU_INLINE void canvas::check() const {
    detail::require_drawn(cairo_surface_status(surface_.get()));
    detail::require_drawn(cairo_status(context_.get()));
}

}  // namespace plateau::viz

#else

// Nobody gets past the constructor.
namespace plateau::viz {

PLATEAU_INLINE canvas::canvas(double width, double height, double) : width_{width}, height_{height} {
    throw config_error(
        "this build has no cairo, which draws pictures: install it (Debian: libcairo2-dev) and build anew");
}
PLATEAU_INLINE index canvas::pixel_width() const { return 0; }
PLATEAU_INLINE index canvas::pixel_height() const { return 0; }
PLATEAU_INLINE void canvas::fill(rectangle, colour) {}
PLATEAU_INLINE void canvas::fill(std::span<point const>, colour) {}
PLATEAU_INLINE void canvas::line(std::span<point const>, pen const&) {}
PLATEAU_INLINE void canvas::text(point, std::string_view, text_style const&) {}
PLATEAU_INLINE double canvas::text_width(std::string_view, text_style const&) { return 0; }
PLATEAU_INLINE canvas::clip_scope::clip_scope(canvas&, rectangle) : context_{nullptr} {}
PLATEAU_INLINE canvas::clip_scope::~clip_scope() {}
PLATEAU_INLINE std::string canvas::png() const { return {}; }
PLATEAU_INLINE void canvas::deleter::operator()(_cairo_surface*) const {}
PLATEAU_INLINE void canvas::deleter::operator()(_cairo*) const {}

}  // namespace plateau::viz
#endif

namespace plateau::viz {

PLATEAU_INLINE void canvas::write_png(std::ostream& out) const {
    std::string const bytes = png();
    out.write(bytes.data(), static_cast<std::streamsize>(bytes.size())).flush();
    if (!out) throw file_error("cannot write a picture: the stream takes no more bytes; look for a full disk");
}

PLATEAU_INLINE void canvas::write_png(std::filesystem::path const& path) const {
    atomic_file file{path};
    file.write(png());
    file.commit();
}

}  // namespace plateau::viz
