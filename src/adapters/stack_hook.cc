#include "adapters/stack_hook.h"

#include <algorithm>
#include <utility>

#include "autograd/ops/add.h"
#include "autograd/ops/row_ops.h"
#include "nn/context.h"

namespace inlay {
namespace {

class StackHook : public SiteHook {
 public:
  explicit StackHook(Hooks hooks) : hooks_(std::move(hooks)) {}

  // The last hook changes x first: what it gives is the input of all before it.
  Variable input(Context& context, const Variable& x) override {
    Variable read = reads(context, x).front();
    return read.same_as(x) ? Variable() : read;
  }

  Variable linear(Context& context, const LinearSite& module, const Variable& x,
                  Variable y) override {
    std::vector<Variable> inputs = reads(context, x);
    for (std::size_t i = 0; i < hooks_.size(); ++i)
      y = hooks_[i]->linear(context, module, inputs[i + 1], std::move(y));
    return y;
  }

  Variable conv(Context& context, const ConvSite& module, const Variable& x, Variable y) override {
    for (const auto& hook : hooks_) y = hook->conv(context, module, x, std::move(y));
    return y;
  }

  Variable hidden(Context& context, const HiddenBlock& block) override {
    Variable sum, output = block.output;
    for (const auto& hook : hooks_) {
      Variable part = hook->hidden(context, {block.input, output, block.residual, block.norm});
      if (!part.defined()) continue;
      output = add(context, output, part);
      sum = sum.defined() ? add(context, sum, part) : part;
    }
    return sum;
  }

  // The last hook changed its rows last, and is the first to be taken back.
  Variable inverse(Context& context, const Variable& h) override {
    Variable whole;
    for (auto hook = hooks_.rbegin(); hook != hooks_.rend(); ++hook) {
      Variable before = (*hook)->inverse(context, whole.defined() ? whole : h);
      if (before.defined()) whole = before;
    }
    return whole;
  }

  AttentionPrefix prefix(Context& context, const AttentionBlock& block) override {
    AttentionPrefix whole;
    for (const auto& hook : hooks_)
      whole = joined(context, block, whole, hook->prefix(context, block));
    return whole;
  }

  Variable attention(Context& context, const AttentionBlock& block) override {
    Variable sum;
    for (const auto& hook : hooks_) {
      Variable part = hook->attention(context, block);
      if (part.defined()) sum = sum.defined() ? add(context, sum, part) : part;
    }
    return sum;
  }

  VirtualTokens virtual_tokens() override {
    for (const auto& hook : hooks_) {
      VirtualTokens own = hook->virtual_tokens();
      if (own.rows != nullptr) return own;
    }
    return {};
  }

  Replacements replacements() override {
    Replacements all;
    for (const auto& hook : hooks_) {
      Replacements own = hook->replacements();
      if (own.weight != nullptr) all.weight = own.weight;
      if (own.bias != nullptr) all.bias = own.bias;
      if (own.rows.values != nullptr) all.rows = own.rows;
      if (own.estimates != nullptr) all.estimates = own.estimates;
    }
    return all;
  }

  // Replacements first: the other hooks change what the layer gives with them.
  bool merge(MergedTensors& merged) override {
    for (bool replacing : {true, false}) {
      for (const auto& hook : hooks_) {
        if (replaces_tensors(*hook) == replacing && !hook->merge(merged)) return false;
      }
    }
    return true;
  }

 private:
  // What hook i sees as x is element i + 1; element 0 is what the layer itself reads.
  std::vector<Variable> reads(Context& context, const Variable& x) const {
    std::vector<Variable> reads(hooks_.size() + 1, x);
    for (std::size_t i = hooks_.size(); i-- > 0;) {
      Variable read = hooks_[i]->input(context, reads[i + 1]);
      reads[i] = read.defined() ? read : reads[i + 1];
    }
    return reads;
  }

  // Example by example: the rows of `first`, then those of `second`.
  static AttentionPrefix joined(Context& context, const AttentionBlock& block,
                                AttentionPrefix first, AttentionPrefix second) {
    if (second.count == 0) return first;
    if (first.count == 0) return second;
    int64_t count = first.count + second.count;
    const RowSpace* rows = context.virtual_rows(*block.query.row_space(), count);
    return {count, insert_rows(context, first.key, second.key, first.count, rows),
            insert_rows(context, first.value, second.value, first.count, rows)};
  }

  Hooks hooks_;
};

template <class Test>
void require_at_most_one(const Site& site, const Hooks& hooks, const char* what, const Test& test) {
  auto count =
      std::count_if(hooks.begin(), hooks.end(), [&](const auto& hook) { return test(*hook); });
  require(count <= 1, ErrorKind::kUsage, "{} adapters {} {}; let only one of them do so", count,
          what, site.name);
}

}  // namespace

bool replaces_tensors(SiteHook& hook) { return hook.replacements().any(); }

std::unique_ptr<SiteHook> make_stack_hook(const Site& site, Hooks hooks) {
  require_at_most_one(site, hooks, "replace the tensors of", replaces_tensors);
  require_at_most_one(site, hooks, "set virtual tokens at",
                      [](SiteHook& hook) { return hook.virtual_tokens().rows != nullptr; });
  if (hooks.empty()) return nullptr;
  if (hooks.size() == 1) return std::move(hooks.front());
  return std::make_unique<StackHook>(std::move(hooks));
}

}  // namespace inlay
