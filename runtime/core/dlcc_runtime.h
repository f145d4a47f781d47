/* dlcc_runtime.h: the C interface of libdlcc_rt, which loads a compiled step, keeps its state and saves checkpoints.
 *
 * Conventions. Functions return DLCC_OK (0) or a negative DLCC_E_ code and, if `err` is not null, fill it; nothing is
 * allocated for an error. A wrong argument leaves the session untouched. Null handles and pointers are DLCC_E_ARG
 * unless said otherwise. A module may be used from any thread. A session may be used by one thread at a time; a second
 * entry, also from a callback, is DLCC_E_BUSY. The library never exits, installs no signal handler and lets no
 * exception out. All memory of a session is taken in dlcc_session_create, none in a step. */
#ifndef DLCC_RUNTIME_H
#define DLCC_RUNTIME_H

#include "runtime/abi.h"

#ifdef __cplusplus
extern "C" {
#endif

#define DLCC_API __attribute__((visibility("default")))

typedef struct dlcc_error {
  int32_t code;
  uint32_t reserved;
  char message[504]; /* always terminated; one line */
} dlcc_error;

typedef struct dlcc_module dlcc_module;   /* immutable, shareable */
typedef struct dlcc_session dlcc_session; /* parameters, optimizer slots, random counter */

/* A dense row-major tensor of the caller's; it needs no alignment and is not kept after the call. */
typedef struct dlcc_view {
  void* data;
  int32_t dtype, rank;
  const int64_t* dims; /* may be null if rank is 0 */
  uint64_t nbytes;
  uint64_t reserved[2];
} dlcc_view;

typedef struct dlcc_session_options {
  uint32_t struct_size;
  int32_t num_threads;                                 /* 0: the CPUs this process may use, at most 16 */
  uint64_t seed;                                       /* of random numbers until dlcc_init or a load sets another */
  void* (*alloc)(void* u, size_t bytes, size_t align); /* both or neither; null: the C library's */
  void (*dealloc)(void* u, void* p);
  void* alloc_user;
  const dlcc_host_v1* host; /* copied; may be null */
  uint32_t flags, reserved; /* 0 */
} dlcc_session_options;

DLCC_API uint32_t dlcc_runtime_version(void); /* 0xMMmmpp */
DLCC_API const char* dlcc_status_name(dlcc_status status);

/* ---- modules ------------------------------------------------------------------------------------------------- */

/* Loads a compiled step. Before any of its code is mapped: a regular file, owned by this user or root, neither it nor
 * its folder writable by everybody (a sticky folder is fine; else DLCC_E_TRUST; DLCC_TRUST_ANY=1 in the environment
 * lifts both), the trailer's checksum right, the ABI known. Then the tables are checked and the CPU's features
 * compared. The image is loaded from a private copy: replacing the file later does not disturb it, and loading twice
 * gives independent modules. Null, empty, missing or irregular path: DLCC_E_IO. A file that may not be executed, from a
 * noexec file system for one: DLCC_E_CORRUPT. No OpenMP runtime that loads: DLCC_E_CPU. */
DLCC_API dlcc_status dlcc_module_open(const char* path, dlcc_module** out, dlcc_error* err);
/* Wraps tables that are already in memory (static linking, JIT); they must outlive the module and its sessions. */
DLCC_API dlcc_status dlcc_module_wrap(const dlcc_module_v1* info, dlcc_module** out, dlcc_error* err);
/* As above for tables made by somebody else: `release(owner)` is called once when nothing needs them any more, that is
 * when the module is closed and its last session is gone, or when this call fails. */
DLCC_API dlcc_status dlcc_module_wrap_owned(const dlcc_module_v1* info, void (*release)(void* owner), void* owner,
                                            dlcc_module** out, dlcc_error* err);
/* Null or a closed module is ignored. Code stays loaded while sessions of the module exist. */
DLCC_API void dlcc_module_close(dlcc_module* module);
DLCC_API const dlcc_module_v1* dlcc_module_info(const dlcc_module* module); /* null if the handle is not valid */
DLCC_API int32_t dlcc_module_find(const dlcc_module* module, const char* tensor_name); /* index, or DLCC_E_NOTFOUND */

/* ---- sessions ------------------------------------------------------------------------------------------------ */

/* `options` may be null: defaults. */
DLCC_API dlcc_status dlcc_session_create(dlcc_module* module, const dlcc_session_options* options, dlcc_session** out,
                                         dlcc_error* err);
/* Null or a destroyed session is ignored, and so is one that another call is using: no callback destroys its own. */
DLCC_API void dlcc_session_destroy(dlcc_session* session);
/* Fills parameters, slots and buffers; counters go to 0; overridden hyper-parameters and metadata strings stay. */
DLCC_API dlcc_status dlcc_init(dlcc_session* session, uint64_t seed, dlcc_error* err);

/* Steps. `in` has the entry's inputs in order. `out` may have fewer views than the entry has outputs; the rest is
 * computed and dropped. Dimensions must equal the compiled ones; along the batch axis a view may also have just the
 * n_valid rows of a short batch (0 <= n_valid <= N), which is masked in loss, metrics and normalisation. Outputs must
 * not overlap inputs or each other. DLCC_E_STATE before dlcc_init or a load. A batch in which no label counts (all are
 * the loss's ignore_index) is no update: DLCC_OK, outputs 0, and a warning to the host's log. */
DLCC_API dlcc_status dlcc_train_step(dlcc_session* session, const dlcc_view* in, int n_in, dlcc_view* out, int n_out,
                                     int64_t n_valid, dlcc_error* err);
DLCC_API dlcc_status dlcc_eval_step(dlcc_session* session, const dlcc_view* in, int n_in, dlcc_view* out, int n_out,
                                    int64_t n_valid, dlcc_error* err);
DLCC_API dlcc_status dlcc_predict(dlcc_session* session, const dlcc_view* in, int n_in, dlcc_view* out, int n_out,
                                  int64_t n_valid, dlcc_error* err);
/* Adds the gradients of one batch; dlcc_apply_gradients then updates with their mean over the calls and zeroes them.
 * With accumulate_steps k > 1 the two ways to accumulate do not mix: DLCC_E_STATE for dlcc_compute_gradients while
 * training steps are accumulated, and for dlcc_train_step while gradients are pending. dlcc_apply_gradients rounds
 * dlcc_batches up to a multiple of k, where the next accumulation of training steps starts. */
DLCC_API dlcc_status dlcc_compute_gradients(dlcc_session* session, const dlcc_view* in, int n_in, dlcc_view* out,
                                            int n_out, int64_t n_valid, dlcc_error* err);
DLCC_API dlcc_status dlcc_apply_gradients(dlcc_session* session, dlcc_error* err);

/* Overrides a compiled value or schedule from now on. NaN, infinity, a negative learning_rate: DLCC_E_ARG. A model
 * whose schedule counts epochs has the hyper-parameter "steps_per_epoch" (batches, 1 or more), which must be set before
 * the first update. */
DLCC_API dlcc_status dlcc_set_hyper(dlcc_session* session, const char* name, double v, dlcc_error* err);
/* The value that was set, else the compiled default: not what a compiled schedule makes of it at this step. */
DLCC_API dlcc_status dlcc_get_hyper(const dlcc_session* session, const char* name, double* v, dlcc_error* err);
/* The learning rate of the last update, before any the first one's, as the compiled schedule or the value that is set
 * now says it. */
DLCC_API dlcc_status dlcc_learning_rate(dlcc_session* session, double* rate, dlcc_error* err);

/* Copy a parameter, slot, buffer or gradient in canonical layout; dtype, dimensions and size must be the compiled ones.
 */
DLCC_API dlcc_status dlcc_tensor_read(dlcc_session* session, const char* name, dlcc_view* out, dlcc_error* err);
DLCC_API dlcc_status dlcc_tensor_write(dlcc_session* session, const char* name, const dlcc_view* in, dlcc_error* err);

/* Attachments: named tensors that belong to a model without being part of the compiled step, such as the means that its
 * inputs were standardised with. Names begin with "data/". They are saved and loaded with PARAMS; a load replaces them
 * all. Set copies `value`; null removes. Get gives a view of the session's own copy, good until an attachment is set or
 * a checkpoint loaded. */
DLCC_API dlcc_status dlcc_attachment_set(dlcc_session* session, const char* name, const dlcc_view* value,
                                         dlcc_error* err);
DLCC_API dlcc_status dlcc_attachment_get(const dlcc_session* session, const char* name, dlcc_view* out,
                                         dlcc_error* err);

/* DLCC_E_NONFINITE, with the name, if a trained parameter, slot, buffer or pending gradient holds NaN or infinity. A
 * step refuses a loss that is not finite before its update; a gradient may be all the same, and is then found here: ask
 * before you save. Takes the time of reading the state. */
DLCC_API dlcc_status dlcc_check_finite(dlcc_session* session, dlcc_error* err);

/* What dlcc train fitted on its data (means, categories, ...) comes with a checkpoint; these apply it. `tensor` is the
 * name of an input or a label. DLCC_E_NOTFOUND: the session has none of it; DLCC_E_CORRUPT: it is damaged;
 * DLCC_E_MISMATCH: it is of another model; DLCC_E_ARG: a value that has no place in the model, with its row.
 * Apply: values as the training files had them, of any type, n samples one after the other, to what the model takes:
 * `out` has the tensor's dtype.
 * Undo: predictions of a label back to the label's own unit: `out` is f64, with as many values as `in`.
 * Cells: a table of text, n_rows x n_columns cells row by row, whose columns are called `names`, in any order, with
 * others between them; a null cell is a missing one. For tensors that were trained from a table. */
DLCC_API dlcc_status dlcc_transform_apply(dlcc_session* session, const char* tensor, const dlcc_view* in,
                                          dlcc_view* out, dlcc_error* err);
DLCC_API dlcc_status dlcc_transform_undo(dlcc_session* session, const char* tensor, const dlcc_view* in, dlcc_view* out,
                                         dlcc_error* err);
DLCC_API dlcc_status dlcc_transform_cells(dlcc_session* session, const char* tensor, const char* const* names,
                                          int n_columns, const char* const* cells, int64_t n_rows, dlcc_view* out,
                                          dlcc_error* err);
/* What a class of a label was called in the training table. A buffer too small is DLCC_E_ARG; it is terminated whenever
 * size > 0. */
DLCC_API dlcc_status dlcc_class_name(dlcc_session* session, const char* label, int64_t number, char* name,
                                     uint64_t size, dlcc_error* err);

DLCC_API dlcc_status dlcc_metrics_reset(dlcc_session* session, dlcc_error* err);
/* The first `n` metrics since the reset, in the order of the outputs of the module's DLCC_FN_METRICS_RESULT entry,
 * whose tensors have the metrics' names (dlcc_module_info). */
DLCC_API dlcc_status dlcc_metrics_result(dlcc_session* session, double* values, int n, dlcc_error* err);
DLCC_API uint64_t dlcc_batches(const dlcc_session* session); /* batches trained on; 0 for an invalid handle */
DLCC_API uint64_t dlcc_updates(const dlcc_session* session); /* optimizer updates; 0 for an invalid handle */

/* ---- checkpoints: one safetensors file ----------------------------------------------------------------------- */

/* UTF-8 strings kept with the session and saved in the file's metadata (epoch, data position, ...). Keys that the
 * library writes itself (dlcc.format, dlcc.hyper.*, ...) are refused. A `value` buffer too small is DLCC_E_ARG; it is
 * terminated whenever size > 0. */
DLCC_API dlcc_status dlcc_checkpoint_meta_set(dlcc_session* session, const char* key, const char* value,
                                              dlcc_error* err);
DLCC_API dlcc_status dlcc_checkpoint_meta_get(dlcc_session* session, const char* key, char* value, uint64_t size,
                                              dlcc_error* err);
/* What to save or load: PARAMS = parameters, buffers and attachments, OPT = slots and pending gradients, RNG = seed,
 * counters, hyper-parameters and metadata strings; 0 means ALL.
 * WEIGHTS: from any model's checkpoint, or from a safetensors file of another program, whose parameters have the names
 * of the model alone ("hidden/kernel"). Parameters and buffers must be those of this model, by name, dtype and shape,
 * none missing and no parameter more; DLCC_E_MISMATCH names what differs. RNG is taken if the file has it.
 * PARTIAL: the same, but what does not fit is skipped and logged; nothing at all is DLCC_E_MISMATCH.
 * With both, the accumulators of metrics are taken where they fit and are otherwise as they were. */
enum {
  DLCC_SAVE_PARAMS = 1,
  DLCC_SAVE_OPT = 2,
  DLCC_SAVE_RNG = 4,
  DLCC_SAVE_ALL = 7,
  DLCC_LOAD_PARTIAL = 16,
  DLCC_LOAD_WEIGHTS = 32
};
/* Temporary file, fsync, read back, rename, fsync of the folder: `path` is the old or the new file, never a part. */
DLCC_API dlcc_status dlcc_checkpoint_save(dlcc_session* session, const char* path, uint32_t flags, dlcc_error* err);
/* Verifies the whole file before it changes anything. DLCC_E_IO: it cannot be read; DLCC_E_CORRUPT: damaged, or no
 * checkpoint; DLCC_E_ABI: of another format; DLCC_E_MISMATCH: of another model, with both fingerprints;
 * DLCC_E_NOTFOUND: without a part that `flags` asks for; DLCC_E_STATE: without all of the state, while the session has
 * none yet. */
DLCC_API dlcc_status dlcc_checkpoint_load(dlcc_session* session, const char* path, uint32_t flags, dlcc_error* err);

#ifdef __cplusplus
}
#endif
#endif
