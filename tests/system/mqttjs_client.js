// MQTT.js against a broker: node mqttjs_client.js OPTIONS, a JSON object for mqtt.connect() with `url` and the names of
// PEM files in `files`. Prints one line of JSON with what it saw, and ends with 1 when something fails.
'use strict';
const fs = require('fs');
const mqtt = require('mqtt');

const { url, files, topic, ...options } = JSON.parse(process.argv[2]);
for (const [name, file] of Object.entries(files)) {
    options[name] = fs.readFileSync(file);
}
const large = 'x'.repeat(30000);  // in several frames and records
const sent = ['one', 'two', large];
const got = [];

function fail(error) {
    console.error(String(error));
    process.exit(1);
}

const client = mqtt.connect(url, { ...options, protocolVersion: 4, reconnectPeriod: 0 });
client.on('error', fail);
client.on('close', () => fail('closed'));
client.on('message', (from, payload, packet) => {
    got.push({ topic: from, bytes: payload.length, qos: packet.qos });
    if (got.length === sent.length) {
        client.removeAllListeners('close');
        client.end(false, {}, () => console.log(JSON.stringify({ got })));
    }
});
client.on('connect', () => {
    client.subscribe(topic, { qos: 2 }, (error, granted) => {
        if (error || granted[0].qos !== 2) {
            fail(error || 'not granted');
        }
        sent.forEach((payload, qos) => client.publish(topic, payload, { qos }, (lost) => lost && fail(lost)));
    });
});
