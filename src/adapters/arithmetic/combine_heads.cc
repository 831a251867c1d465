#include "adapters/arithmetic/combine_heads.h"

#include <algorithm>
#include <cstring>
#include <vector>

#include "adapters/head_file.h"
#include "autograd/operands.h"
#include "tensor/kernels/elementwise.h"

namespace inlay {
namespace {

using Sources = std::vector<HeadSource>;

std::string names_of(const Sources& sources) {
  std::string names;
  for (const HeadSource& source : sources) names += (names.empty() ? "" : ", ") + source.name;
  return names;
}

bool same_head(const LoadedAdapter& a, const LoadedAdapter& b) {
  return a.label.task == b.label.task && a.label.classes == b.label.classes &&
         same_layout(a.head->layout(), b.head->layout()) &&
         adapter_hash(nullptr, a.head.get()) == adapter_hash(nullptr, b.head.get());
}

std::unique_ptr<Head> copy_of(const Head& head, const BaseFacts& base) {
  auto copy = std::make_unique<Head>(head.layout(), base.channels_of(head.layout().input),
                                     head.outputs(), head.dropout(), 0);
  for (std::size_t i = 0; i < head.parameters().size(); ++i)
    copy->parameters()[i].set_value(head.parameters()[i].value().clone());
  return copy;
}

void check_alike(const Sources& sources) {
  const LoadedAdapter& first = *sources.front().loaded;
  for (const HeadSource& source : sources) {
    const LoadedAdapter& other = *source.loaded;
    bool alike = other.label.task == first.label.task &&
                 other.label.classes == first.label.classes &&
                 other.head->outputs() == first.head->outputs() &&
                 same_layout(other.head->layout(), first.head->layout());
    require(alike, ErrorKind::kUsage,
            "the heads of {} and {} differ in task, classes or layers, so they have no average; "
            "take one of them with --head NAME, or --head none",
            sources.front().name, source.name);
  }
}

std::unique_ptr<Head> average_of(const Sources& sources, const BaseFacts& base) {
  check_alike(sources);
  std::unique_ptr<Head> mean = copy_of(*sources.front().loaded->head, base);
  for (std::size_t p = 0; p < mean->parameters().size(); ++p) {
    Tensor sum = Tensor::zeros(mean->parameters()[p].shape(), DType::kF64);
    for (const HeadSource& source : sources) {
      kernels::axpy(1.0 / static_cast<double>(sources.size()),
                    in(source.loaded->head->parameters()[p].value().to(DType::kF64)), out(sum),
                    sum.count());
    }
    mean->parameters()[p].set_value(sum.to(DType::kF32));
  }
  return mean;
}

ChosenHead head_of_source(const HeadSource& source, const BaseFacts& base) {
  return {copy_of(*source.loaded->head, base), source.loaded->label};
}

// Of adapters for the base's own layers: their task where they agree about it.
HeadLabel headless_label(std::span<const HeadSource> sources) {
  const HeadLabel& first = sources.front().loaded->label;
  bool agreed = std::all_of(sources.begin(), sources.end(), [&](const HeadSource& source) {
    return source.loaded->head == nullptr && source.loaded->label.task == first.task;
  });
  return agreed ? first : HeadLabel{};
}

}  // namespace

ChosenHead choose_head(std::span<const HeadSource> sources, const std::string& how,
                       const BaseFacts& base) {
  Sources with;
  std::copy_if(sources.begin(), sources.end(), std::back_inserter(with),
               [](const HeadSource& source) { return source.loaded->head != nullptr; });
  if (how == "none" || (how == "auto" && with.empty())) return {nullptr, headless_label(sources)};
  if (how == "average") {
    require(!with.empty(), ErrorKind::kUsage, "none of the adapters has a head to average");
    return {average_of(with, base), with.front().loaded->label};
  }
  if (how == "auto") {
    bool one = std::all_of(with.begin(), with.end(), [&](const HeadSource& source) {
      return same_head(*source.loaded, *with.front().loaded);
    });
    require(one, ErrorKind::kUsage,
            "{} adapters have heads of their own ({}); choose with --head NAME, --head average or "
            "--head none",
            with.size(), names_of(with));
    return head_of_source(with.front(), base);
  }
  auto named = std::find_if(with.begin(), with.end(),
                            [&](const HeadSource& source) { return source.name == how; });
  require(named != with.end(), ErrorKind::kUsage,
          "--head is \"{}\"; expected auto, none, average, or one of the adapters with a head: {}",
          how, names_of(with));
  return head_of_source(*named, base);
}

}  // namespace inlay
