/**
 * Must be evaluated before wechaty is: its log goes to the terminal beside ours, its levels `verbose` and `silly` print
 * tokens and texts, and install handlers that keep a broken process alive.
 */
process.env['WECHATY_LOG'] = 'silent';
