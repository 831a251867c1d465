// Facts about this process and the machine (never its name or its user), and the flag that a person
// who presses Ctrl-C sets.
#pragma once

#include <cstdint>
#include <string>

namespace inlay {

// The most memory that was resident at once since the program started, and what is resident now.
uint64_t peak_rss_bytes();
uint64_t current_rss_bytes();
// What the system can still give without swapping.
uint64_t available_memory_bytes();

std::string
cpu_model();  // "AMD Ryzen 9 9950X 16-Core Processor", or the architecture when that is unknown
std::string
cpu_isa();  // the widest vector instructions: "avx512_bf16", "avx512", "avx2", "sse2", "neon", ...

// The CPUs this process may run on, which a container or taskset may have limited.
int available_cpus();

std::string utc_timestamp();  // "2026-03-01T14:05:09Z"

// After this, the first SIGINT or SIGTERM only sets a flag, so that work can stop at a safe place,
// and the second ends the process with status 128 + signal.
void install_interrupt_handler();
bool interrupted();

// A file that may not grow further (RLIMIT_FSIZE) is then an error of the write, as a full disk is,
// not the end of the process.
void ignore_file_size_signal();

}  // namespace inlay
