#include "text/chat/filters.h"

#include <algorithm>

#include "text/chat/filter_functions.h"

namespace inlay::chat {
namespace {

constexpr Filter kFilters[] = {
    {"abs", filter::absolute},
    {"capitalize", filter::capitalize},
    {"count", filter::length},
    {"d", filter::default_value},
    {"default", filter::default_value},
    {"dictsort", filter::dictsort},
    {"e", filter::escape},
    {"escape", filter::escape},
    {"first", filter::first},
    {"float", filter::to_float},
    {"indent", filter::indent},
    {"int", filter::to_int},
    {"items", filter::items},
    {"join", filter::join},
    {"last", filter::last},
    {"length", filter::length},
    {"list", filter::list},
    {"lower", filter::lower},
    {"map", filter::map},
    {"max", filter::max},
    {"min", filter::min},
    {"reject", filter::reject},
    {"rejectattr", filter::rejectattr},
    {"replace", filter::replace},
    {"reverse", filter::reverse},
    {"round", filter::round},
    {"safe", filter::string},
    {"select", filter::select},
    {"selectattr", filter::selectattr},
    {"sort", filter::sort},
    {"string", filter::string},
    {"sum", filter::sum},
    {"title", filter::title},
    {"tojson", filter::tojson},
    {"trim", filter::trim},
    {"unique", filter::unique},
    {"upper", filter::upper},
};

}  // namespace

std::span<const Filter> filters() { return kFilters; }

const Filter* find_filter(std::string_view name) {
  const auto* found = std::find_if(std::begin(kFilters), std::end(kFilters),
                                   [&](const Filter& filter) { return filter.name == name; });
  return found == std::end(kFilters) ? nullptr : found;
}

}  // namespace inlay::chat
