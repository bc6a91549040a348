//! hessboost for ../native/worker.c: its calls for one row and for a batch, one C
//! call deep. Functions return 0 if all went well.
use hessboost::model::{BoostedModel, Iterations, ModelFormat};
use rayon::{ThreadPool, ThreadPoolBuilder};
use std::error::Error;
use std::ffi::{c_char, c_int, CStr};
use std::sync::OnceLock;

/// All sessions share the model, as the threads of a program would.
static MODEL: OnceLock<BoostedModel> = OnceLock::new();

/// A session scores batches with threads of its own.
pub struct Session {
    model: &'static BoostedModel,
    pool: ThreadPool,
}

fn load(path: &CStr) -> Result<&'static BoostedModel, Box<dyn Error>> {
    if MODEL.get().is_none() {
        let path = path.to_str()?;
        let format = ModelFormat::detect(&std::fs::read(path)?).ok_or("unknown model format")?;
        let _ = MODEL.set(BoostedModel::load(path, format)?);
    }
    Ok(MODEL.get().expect("it was just set"))
}

fn open(path: &CStr, threads: usize) -> Result<Session, Box<dyn Error>> {
    let pool = ThreadPoolBuilder::new().num_threads(threads).build()?;
    Ok(Session {
        model: load(path)?,
        pool,
    })
}

fn status(result: Result<(), Box<dyn Error>>) -> c_int {
    result.map_or_else(
        |e| {
            eprintln!("hessboost: {e}");
            1
        },
        |()| 0,
    )
}

/// Returns a session that scores batches with some threads, or null.
///
/// # Safety
///
/// `path` is a C string.
#[no_mangle]
pub unsafe extern "C" fn peer_open(path: *const c_char, threads: c_int) -> *mut Session {
    match open(CStr::from_ptr(path), threads as usize) {
        Ok(session) => Box::into_raw(Box::new(session)),
        Err(e) => {
            eprintln!("hessboost: {e}");
            std::ptr::null_mut()
        }
    }
}

/// Scores one row: its margins, or its predictions.
///
/// # Safety
///
/// `row` and `dst` are as long as the model says.
#[no_mangle]
pub unsafe extern "C" fn peer_row(
    session: *const Session,
    row: *const f32,
    margin: c_int,
    dst: *mut f32,
) -> c_int {
    let model = (*session).model;
    let row = std::slice::from_raw_parts(row, model.n_features());
    let result = if margin != 0 {
        let dst = std::slice::from_raw_parts_mut(dst, model.n_outputs());
        model.predict_margin_row_into(row, Iterations::Best, dst)
    } else {
        let dst = std::slice::from_raw_parts_mut(dst, model.prediction_width());
        model.predict_row_into(row, Iterations::Best, dst)
    };
    status(result.map_err(Into::into))
}

/// Scores a batch of rows.
///
/// # Safety
///
/// `rows` and `dst` are `count` times as long as the model says.
#[no_mangle]
pub unsafe extern "C" fn peer_rows(
    session: *const Session,
    rows: *const f32,
    count: usize,
    margin: c_int,
    dst: *mut f32,
) -> c_int {
    let Session { model, pool } = &*session;
    let rows = std::slice::from_raw_parts(rows, count * model.n_features());
    let result = pool.install(|| {
        if margin != 0 {
            model.predict_margin_rows(rows, Iterations::Best)
        } else {
            model.predict_rows(rows, Iterations::Best)
        }
    });
    status(result.map_err(Into::into).map(|values| {
        let values = values.as_slice();
        std::slice::from_raw_parts_mut(dst, values.len()).copy_from_slice(values);
    }))
}
