/* compiler.h: the C interface of libdlcc, which compiles a model in this process. What it returns is the same
 * dlcc_module that libdlcc_rt loads from a file; sessions, steps and checkpoints are that library's (dlcc/runtime.h).
 */
#ifndef DLCC_COMPILER_H
#define DLCC_COMPILER_H

#include "runtime/core/dlcc_runtime.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct dlcc_compile_options {
  uint32_t struct_size;
  uint32_t flags;     /* 0 */
  const char* target; /* null or as for --march: "native", "x86-64-v3", "x86-64-v4", "znver4" */
  const char* dtype;  /* null: the model's; "f32", "f64" */
  int64_t batch_size; /* 0: the model's */
  /* Called for every warning and error, one line each without a newline; may be null. */
  void (*report)(void* user, const char* line);
  void* user;
} dlcc_compile_options;

/* Compiles a model file. `options` may be null. A model or an option at fault is DLCC_E_ARG, with the first message in
 * `err` and all of them reported; a file that cannot be read DLCC_E_IO; a machine without AVX2 and FMA, or that cannot
 * run code for `target`, DLCC_E_CPU; a model too large for the memory that is free DLCC_E_NOMEM; a struct_size that is
 * not known DLCC_E_ABI. Thread-safe. Close the module with dlcc_module_close; the code stays while sessions of it
 * exist. */
DLCC_API dlcc_status dlcc_compile_file(const char* path, const dlcc_compile_options* options, dlcc_module** out,
                                       dlcc_error* err);
/* The same for a text in memory; `name` stands in messages. */
DLCC_API dlcc_status dlcc_compile_text(const char* text, uint64_t length, const char* name,
                                       const dlcc_compile_options* options, dlcc_module** out, dlcc_error* err);
/* Compiles a model file to a compiled step on disk, as `dlcc path -o so_path` does. */
DLCC_API dlcc_status dlcc_compile_to_file(const char* path, const dlcc_compile_options* options, const char* so_path,
                                          dlcc_error* err);

#ifdef __cplusplus
}
#endif
#endif
