// Saving an adapter with its head, and loading it back onto its base. Each method is written in the
// format of the library that the field reads it with: PEFT's (LoRA), AdapterHub's (bottlenecks), or
// ours (tensors under Hugging Face names). What a format cannot hold stands beside it in files of
// ours.
//
//   save_adapter("runs/a/adapter", {.adapter = adapter.get(), .head = head.get(), .label = info},
//   model->facts()); LoadedAdapter loaded = load_adapter("runs/a/adapter", model->facts());
//
// Loading is strict: every tensor is used and every needed one is there, shapes agree, and the base
// is the one that the adapter was trained on, or an error lists what differs. Nothing half-written
// is left behind.
#pragma once

#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "adapters/adapter.h"
#include "nn/head.h"

namespace inlay {

// What is known about a head besides its tensors.
struct HeadLabel {
  std::string task;                  // "text-classification"
  std::string problem_type;          // Hugging Face's: "single_label_classification"
  std::string peft_type;             // PEFT's task type for a Hugging Face head: "SEQ_CLS"
  std::vector<std::string> classes;  // names by number; empty for regression
  std::string pooling = {};          // of a task without a head; empty where it does not matter
};

struct AdapterBundle {
  const Adapter* adapter = nullptr;  // null: only a head was trained
  const Head* head = nullptr;        // null: only an adapter (sentence embedding, masked LM)
  HeadLabel label;
};

struct LoadedAdapter {
  std::unique_ptr<Adapter> adapter;
  std::unique_ptr<Head> head;
  HeadLabel label;
};

// Replaces a folder of the same name as a whole. An adapter is written in its finished form.
void save_adapter(const std::filesystem::path& folder, const AdapterBundle& bundle,
                  const BaseFacts& base);

// The same in a format of the caller's choice. kUsage where the folder is there already, kInput
// naming what the format cannot hold.
void save_adapter_as(AdapterFormat format, const std::filesystem::path& folder,
                     const AdapterBundle& bundle, const BaseFacts& base);

// Formats are told apart by their files. An adapter that records no base hash (written by PEFT or
// AdapterHub) is accepted when its names and shapes fit.
LoadedAdapter load_adapter(const std::filesystem::path& folder, const BaseFacts& base);

// What an adapter's own record says of its task, without a base: which parts of one it needs.
// Empty where PEFT or AdapterHub wrote it.
HeadLabel recorded_label(const std::filesystem::path& folder);

// SHA-256 over the names, shapes and bytes of all tensors of adapter and head, in order: equal for
// equal bits.
std::string adapter_hash(const Adapter* adapter, const Head* head);

}  // namespace inlay
