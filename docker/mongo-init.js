// Run by mongosh in the service mongo-init: makes the replica set of one and the bot's user where they are missing. Run
// again it changes nothing but the bot's password, which is always the secret's.
const { readFileSync } = require('node:fs');

const secret = (name) => readFileSync(`/run/secrets/${name}`, 'utf8').trim();
const admin = connect(
  `mongodb://root:${encodeURIComponent(secret('mongo-root-password'))}@mongo:27017/admin?directConnection=true`,
);

try {
  admin.adminCommand({ replSetGetStatus: 1 });
} catch (error) {
  // https://www.mongodb.com/docs/manual/reference/error-codes/: 94 NotYetInitialized
  if (error.code !== 94) throw error;
  admin.adminCommand({ replSetInitiate: { _id: 'gridmate', members: [{ _id: 0, host: 'mongo:27017' }] } });
  print('the replica set was made');
}
for (let tries = 0; !admin.adminCommand({ hello: 1 }).isWritablePrimary; tries += 1) {
  if (tries >= 60) throw new Error('no primary after 60 s');
  sleep(1000);
}

const user = { pwd: secret('mongo-bot-password'), roles: [{ role: 'readWrite', db: 'gridmate' }] };
const database = admin.getSiblingDB('gridmate');
if (database.getUser('gridmate') === null) {
  database.createUser({ user: 'gridmate', ...user });
  print("the bot's user was made");
} else database.updateUser('gridmate', user);
