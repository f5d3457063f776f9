// npm @anthropic-ai/sdk.
import Anthropic from '@anthropic-ai/sdk';
import { assert, failure, isWeather, model, run, weather } from './calls.mjs';

const client = new Anthropic({ maxRetries: 0 });
const say = (messages, options = {}) => client.messages.create({ model, messages, max_tokens: 40, temperature: 0, ...options });
const user = (content) => ({ role: 'user', content });
const textOf = (message) => message.content.filter((block) => block.type === 'text').map((block) => block.text).join('');
const tools = [{ name: weather.name, description: weather.description, input_schema: weather.parameters }];

await run({
  'a conversation of several turns': async () => {
    const messages = [user('My name is Marta and I live in Lisbon.')];
    const first = await say(messages);
    messages.push({ role: 'assistant', content: first.content }, user('What is my name?'));
    const second = await say(messages);
    assert.match(textOf(second), /Marta/);
    assert.equal(second.stop_reason, 'end_turn');
  },

  'a prompt is kept to its breakpoint and read again': async () => {
    const system = [{ type: 'text', text: 'You answer with care. '.repeat(20), cache_control: { type: 'ephemeral' } }];
    const first = await say([user('Hello!')], { system });
    const second = await say([user('I have a cat called Miso.')], { system });
    assert.ok(first.usage.cache_creation_input_tokens > 0);
    // What the template writes between the breakpoint and the message is found, too.
    assert.ok(second.usage.cache_read_input_tokens >= first.usage.cache_creation_input_tokens);
  },

  'a stream brings what the whole answer is': async () => {
    const messages = [user('I have a cat called Miso.')];
    const whole = await say(messages);
    const stream = client.messages.stream({ model, messages, max_tokens: 40, temperature: 0 });
    let text = '';
    stream.on('text', (delta) => (text += delta));
    const message = await stream.finalMessage();
    assert.equal(text, textOf(whole));
    assert.equal(message.usage.output_tokens, whole.usage.output_tokens);
  },

  'a stream is cancelled': async () => {
    const stream = client.messages.stream({ model, messages: [user('What is a KV cache?')], max_tokens: 1000, temperature: 0 });
    stream.on('text', () => stream.abort());
    const error = await failure(() => stream.finalMessage());
    assert.ok(error instanceof Anthropic.APIUserAbortError);
  },

  'an unknown model is a NotFoundError': async () => {
    const error = await failure(() => say([user('x')], { model: 'another' }));
    assert.ok(error instanceof Anthropic.NotFoundError);
    assert.deepEqual([error.status, error.error.error.type], [404, 'not_found_error']);
  },

  'a value out of range is a BadRequestError': async () => {
    const error = await failure(() => say([user('x')], { temperature: 3 }));
    assert.ok(error instanceof Anthropic.BadRequestError);
    assert.equal(error.error.error.type, 'invalid_request_error');
    assert.match(error.message, /temperature/);
  },

  'a wrong key is an AuthenticationError': async () => {
    const error = await failure(() => new Anthropic({ apiKey: 'wrong', maxRetries: 0 }).messages.create({ model, messages: [user('x')], max_tokens: 5 }));
    assert.ok(error instanceof Anthropic.AuthenticationError);
  },

  'tools: a call, its result, and the answer': async () => {
    const messages = [user('What is the weather in Lisbon?')];
    const call = await say(messages, { tools, tool_choice: { type: 'tool', name: weather.name }, max_tokens: 300 });
    assert.equal(call.stop_reason, 'tool_use');
    const use = call.content.find((block) => block.type === 'tool_use');
    isWeather(use.input);
    messages.push({ role: 'assistant', content: call.content }, user([{ type: 'tool_result', tool_use_id: use.id, content: '21 degrees' }]));
    const answer = await say(messages, { tools, tool_choice: { type: 'none' } });
    assert.ok(['end_turn', 'max_tokens'].includes(answer.stop_reason));
  },

  'tools: streamed': async () => {
    const stream = client.messages.stream({
      model, messages: [user('What is the weather in Lisbon?')], tools, tool_choice: { type: 'any' }, max_tokens: 300, temperature: 0,
    });
    let deltas = 0;
    stream.on('inputJson', () => deltas++);
    const message = await stream.finalMessage();
    isWeather(message.content.find((block) => block.type === 'tool_use').input);
    assert.ok(deltas > 1);
  },

  'tokens are counted': async () => {
    const messages = [user('Hello!')];
    const count = await client.messages.countTokens({ model, messages });
    const { usage } = await say(messages);
    assert.equal(count.input_tokens, usage.input_tokens + (usage.cache_read_input_tokens ?? 0) + (usage.cache_creation_input_tokens ?? 0));
  },
});
