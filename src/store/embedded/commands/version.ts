/** The server version whose behaviour is followed. */
export const VERSION = '8.0.0';
