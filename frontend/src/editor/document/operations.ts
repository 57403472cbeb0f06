/* Every operation on a document: pure, `(doc, …) => Edit`, throwing `Refused` for what cannot be done. */

export { addTask, type NewLink, type NewTask } from './operations/addTask';
export { copy, duplicate, paste } from './operations/clipboard';
export { inOrder, type Place } from './operations/common';
export { connect, connectOrder, disconnect, setRule, type Input, type Output } from './operations/connect';
export { setField, setHead, setWhen } from './operations/fields';
export { group } from './operations/group';
export { moveTasks, setNote } from './operations/move';
export { moveInto } from './operations/moveInto';
export { removeTasks } from './operations/removeTasks';
export { renameParameter, renameTask } from './operations/rename';
export { ungroup } from './operations/ungroup';
