// The page about a run: one HTML file that needs nothing else, drawn from one JSON document. It
// works offline, without scripts, on paper, in light and dark. All text is escaped, so data cannot
// put markup into it.
//
//   write_file_atomically(run.report(), render_report(report));
//
// The document. Only `title` is required; a section whose key is absent is left out; an unknown key
// is an Error.
//
//   title        text, such as "Reviews: LoRA on MiniLM-L6"
//   lead         text: one sentence on what was trained on what
//   test_rows    integer: how many rows the metrics are over
//   metrics      [quantity]: the test metrics, most important first, with their 95 % intervals
//   tiles        [quantity]: more for the top of the page: time, speed, memory, trainable share
//   curves       {train: [{step, loss}], validation: [{step, epoch, value, loss?}],
//                 metric: text, best_step?: integer, note?: text}
//   comparison   {metric: text,
//                 rows: [{name, value, low?, high?, parameters?, seconds?, chosen?: bool}]}
//   confusion    {labels: [text], counts: [[integer]]}; counts[truth][prediction]
//   classes      [{label, precision, recall, f1, support}]
//   scatter      {name: text, points: [[truth, prediction]]}; for regression, 4,000 are drawn
//   calibration  {error: number, bins: [{low, high, count, confidence, accuracy}]}
//   folds        {columns: [text], rows: [{name, values: [number]}],
//                 pooled?: {values: [number], low?: [number], high?: [number]}}
//   mistakes     [{text, truth, prediction, probability?, row?}]; the most confident first;
//                row says where it stands, such as "reviews.csv:12"
//   pictures     [{picture, caption?: text,
//                  boxes: [{box: [left, top, right, bottom], label, score?,
//                           kind: "found" | "missed" | "false"}]}]; a picture is an address that
//                holds it ("data:image/png;base64,..."), a box in shares of its width and height
//   pairs        [{pictures: [picture, picture], same: bool, distance: number}]; the worst first
//   samples      [{picture, caption?: text}]: pictures of the first step, as the model read them
//   trained      {method, settings?: text, parameters, base_parameters, file_bytes?,
//                 other?: [{name, parameters}],
//                 sites?: [text], layers?: [text], grid?: [[integer]]}; grid[site][layer]
//   moved        {sites: [text], layers: [text], grid: [[number]]}: |dW| / |W|, grid[site][layer],
//                 null where nothing was added
//   speed        [quantity]: time, throughput and memory in detail
//   manifest     the manifest, shown as it is
//
// A quantity is {label, value, format?, unit?, low?, high?, note?}. Its value is a number or text;
// its format is number (default), percent, count, bytes or seconds. A number that is null (it was
// not finite) is shown as a dash.
#pragma once

#include <string>

#include "base/json_fwd.h"

namespace inlay {

std::string render_report(const Json& report);

}  // namespace inlay
