// Each script has named calls, and writes one line of JSON for each: its name, and what went wrong.
import assert from 'node:assert/strict';

export { assert };

export const model = 'demo';
export const key = process.env.OPENAI_API_KEY;
export const baseURL = process.env.OPENAI_BASE_URL;

// The demo model's tokens that end an answer do not come, with this bias.
export const endless = { 0: -100, 2: -100 };

export async function run(calls) {
  for (const [call, body] of Object.entries(calls)) {
    let error = null;
    try {
      await body();
    } catch (thrown) {
      error = thrown?.stack ?? String(thrown);
    }
    console.log(JSON.stringify({ call, error }));
  }
}

// The error that a call ends with.
export async function failure(call) {
  try {
    await call();
  } catch (error) {
    return error;
  }
  assert.fail('The call did not fail.');
}

export const weather = {
  name: 'get_weather',
  description: 'The weather in a city.',
  parameters: {
    type: 'object',
    properties: { city: { type: 'string', maxLength: 20 }, unit: { enum: ['celsius', 'fahrenheit'] } },
    required: ['city', 'unit'],
    additionalProperties: false,
  },
};

export function isWeather(value) {
  assert.deepEqual(Object.keys(value), ['city', 'unit']);
  assert.equal(typeof value.city, 'string');
  assert.ok(['celsius', 'fahrenheit'].includes(value.unit));
}
