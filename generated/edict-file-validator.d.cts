// Made by `npm run generate` from spec/. Do not edit.
import type { ValidateFunction } from 'ajv';
export declare const validateFile: ValidateFunction;
export declare const validateIncluded: ValidateFunction;
export declare const validateApi: ValidateFunction;
export declare const validateName: ValidateFunction;
