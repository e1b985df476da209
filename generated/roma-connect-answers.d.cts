// Made by `npm run generate` from spec/. Do not edit.
import type { ValidateFunction } from 'ajv';
export declare const changePublication_201: ValidateFunction;
export declare const changePublication_400: ValidateFunction;
export declare const changePublication_401: ValidateFunction;
export declare const changePublication_403: ValidateFunction;
export declare const changePublication_404: ValidateFunction;
export declare const changePublication_500: ValidateFunction;
export declare const createToken_201: ValidateFunction;
export declare const createToken_400: ValidateFunction;
export declare const createToken_401: ValidateFunction;
export declare const createToken_403: ValidateFunction;
export declare const createToken_404: ValidateFunction;
export declare const createToken_500: ValidateFunction;
