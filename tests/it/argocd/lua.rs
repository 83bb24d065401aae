//! A Lua as closed as the one in which Argo CD runs scripts of argocd-cm: base functions and tables, and a bound on how
//! long a script may run. Argo CD also has a clock; scripts here do without.

use mlua::serde::ser::Options;
use mlua::{HookTriggers, Lua, LuaOptions, LuaSerdeExt, StdLib, VmState};
use serde_json::Value;

/// Stands for Argo CD's one second: no script here needs a thousandth of it.
const INSTRUCTIONS: u32 = 1_000_000;

/// What `script` returns for `obj`.
pub fn run(script: &str, object: &Value) -> Result<Value, String> {
    closed(script, object).map_err(|error| error.to_string())
}

fn closed(script: &str, object: &Value) -> mlua::Result<Value> {
    let lua = Lua::new_with(StdLib::TABLE, LuaOptions::default())?;
    lua.set_hook(HookTriggers::new().every_nth_instruction(INSTRUCTIONS), |_, _| -> mlua::Result<VmState> {
        Err(mlua::Error::runtime("the script runs for too long"))
    })?;
    // As in Argo CD, what is null is nil, and a list is a plain table.
    let plain = Options::new().serialize_none_to_null(false).serialize_unit_to_null(false);
    lua.globals().set("obj", lua.to_value_with(object, plain.set_array_metatable(false))?)?;
    let answer = lua.load(script).eval()?;
    lua.from_value(answer)
}
