// The functions behind the table of filters, one per name.
#pragma once

#include "text/chat/value.h"

namespace inlay::chat::filter {

// text_filters.cc
Value capitalize(Heap& heap, Value subject, const Arguments& arguments);
Value escape(Heap& heap, Value subject, const Arguments& arguments);
Value indent(Heap& heap, Value subject, const Arguments& arguments);
Value join(Heap& heap, Value subject, const Arguments& arguments);
Value lower(Heap& heap, Value subject, const Arguments& arguments);
Value replace(Heap& heap, Value subject, const Arguments& arguments);
Value string(Heap& heap, Value subject, const Arguments& arguments);
Value title(Heap& heap, Value subject, const Arguments& arguments);
Value tojson(Heap& heap, Value subject, const Arguments& arguments);
Value trim(Heap& heap, Value subject, const Arguments& arguments);
Value upper(Heap& heap, Value subject, const Arguments& arguments);

// number_filters.cc
Value absolute(Heap& heap, Value subject, const Arguments& arguments);
Value to_float(Heap& heap, Value subject, const Arguments& arguments);
Value to_int(Heap& heap, Value subject, const Arguments& arguments);
Value round(Heap& heap, Value subject, const Arguments& arguments);
Value sum(Heap& heap, Value subject, const Arguments& arguments);

// sequence_filters.cc
Value default_value(Heap& heap, Value subject, const Arguments& arguments);
Value first(Heap& heap, Value subject, const Arguments& arguments);
Value items(Heap& heap, Value subject, const Arguments& arguments);
Value last(Heap& heap, Value subject, const Arguments& arguments);
Value length(Heap& heap, Value subject, const Arguments& arguments);
Value list(Heap& heap, Value subject, const Arguments& arguments);
Value reverse(Heap& heap, Value subject, const Arguments& arguments);

// order_filters.cc
Value dictsort(Heap& heap, Value subject, const Arguments& arguments);
Value max(Heap& heap, Value subject, const Arguments& arguments);
Value min(Heap& heap, Value subject, const Arguments& arguments);
Value sort(Heap& heap, Value subject, const Arguments& arguments);
Value unique(Heap& heap, Value subject, const Arguments& arguments);

// selection_filters.cc
Value map(Heap& heap, Value subject, const Arguments& arguments);
Value reject(Heap& heap, Value subject, const Arguments& arguments);
Value rejectattr(Heap& heap, Value subject, const Arguments& arguments);
Value select(Heap& heap, Value subject, const Arguments& arguments);
Value selectattr(Heap& heap, Value subject, const Arguments& arguments);

}  // namespace inlay::chat::filter
