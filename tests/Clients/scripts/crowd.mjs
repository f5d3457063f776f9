// Many clients of three kinds at once, each with a conversation of its own: says what standard input lists, and writes the answers.
import { createOpenAICompatible } from '@ai-sdk/openai-compatible';
import { AIMessage, HumanMessage } from '@langchain/core/messages';
import { ChatOpenAI } from '@langchain/openai';
import { generateText } from 'ai';
import OpenAI from 'openai';
import { readFileSync } from 'node:fs';
import { baseURL, key, model } from './calls.mjs';

async function openai(turns) {
  const client = new OpenAI({ maxRetries: 0 });
  const messages = [];
  const answers = [];
  for (const content of turns) {
    messages.push({ role: 'user', content });
    const answer = await client.chat.completions.create({ model, messages, temperature: 0, max_tokens: 30 });
    messages.push(answer.choices[0].message);
    answers.push(answer.choices[0].message.content);
  }
  return answers;
}

async function compatible(turns) {
  const language = createOpenAICompatible({ name: 'kvtiers', baseURL, apiKey: key })(model);
  const messages = [];
  const answers = [];
  for (const content of turns) {
    messages.push({ role: 'user', content });
    const answer = await generateText({ model: language, messages, temperature: 0, maxOutputTokens: 30, maxRetries: 0 });
    messages.push({ role: 'assistant', content: answer.text });
    answers.push(answer.text);
  }
  return answers;
}

async function langchain(turns) {
  const chat = new ChatOpenAI({ model, temperature: 0, maxTokens: 30, maxRetries: 0 });
  const messages = [];
  const answers = [];
  for (const content of turns) {
    messages.push(new HumanMessage(content));
    const answer = await chat.invoke(messages);
    messages.push(new AIMessage(answer.text));
    answers.push(answer.text);
  }
  return answers;
}

const kinds = { openai, compatible, langchain };
const conversations = JSON.parse(readFileSync(0, 'utf8'));
console.log(JSON.stringify(await Promise.all(conversations.map(({ kind, turns }) => kinds[kind](turns)))));
